"""The snapshot gateways route by, compiled once a version."""

from sebalai_shared.clock import Clock
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_exchange.agreements.actions import routed_agreements
from sebalai_exchange.groups.actions import routed_groups
from sebalai_exchange.interfaces.actions import routed_interfaces
from sebalai_exchange.routes import store
from sebalai_exchange.routes.compile import RouteSigner, Snapshot, snapshot_document


class RouteCompiler:
    """Compiles and signs; both the API and the worker hold one."""

    def __init__(self, signer: RouteSigner, clock: Clock, instance: str) -> None:
        self._signer, self._clock, self._instance = signer, clock, instance

    async def newer_than(self, session: AsyncSession, known: int) -> Snapshot | None:
        """The present snapshot, or None when its version is not above `known`."""
        if await store.version(session) <= known:
            return None
        version = await store.hold_version(session)
        kept = await store.snapshot(session, version)
        if kept is not None:
            return Snapshot(version, kept)
        return Snapshot(version, await self._compile(session, version))

    async def _compile(self, session: AsyncSession, version: int) -> str:
        document = snapshot_document(
            version,
            self._clock.now(),
            self._instance,
            await routed_interfaces(session),
            await routed_agreements(session, self._clock),
            await routed_groups(session),
        )
        return await store.keep(session, version, self._signer.sign(document), self._clock.now())
