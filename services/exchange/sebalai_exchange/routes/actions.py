"""The snapshots gateways route by: the whole table for who begins, what changed for all others."""

import asyncio
import logging
from collections import OrderedDict

from sebalai_shared.clock import Clock
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_exchange.agreements.actions import rerouted_agreements, routed_agreements
from sebalai_exchange.groups.actions import routed_groups
from sebalai_exchange.interfaces.actions import routed_interfaces
from sebalai_exchange.peers.actions import routed_peers
from sebalai_exchange.routes import store
from sebalai_exchange.routes.compile import Content, RouteSigner, Snapshot, snapshot_document

log = logging.getLogger(__name__)

# Above so many changed rows the whole table is told; a kept one is served as long as fewer changed.
CHANGES_MAX = 2_000
SMALL_TABLE = 5_000
ALL = 2**31
CHANGES_CACHED = 64
RECENT_VERSIONS = 64


class RouteCompiler:
    """Compiles and signs; both the API and the worker hold one."""

    def __init__(self, signer: RouteSigner, clock: Clock, instance: str) -> None:
        self._signer, self._clock, self._instance = signer, clock, instance
        self._changes: OrderedDict[tuple[int, int], Snapshot] = OrderedDict()

    async def newer_than(self, session: AsyncSession, known: int) -> Snapshot | None:
        """What changed since `known` (0: the whole table), or None when nothing did.

        A large whole table may be some versions old; what changed since is asked for next.
        """
        # Read before the rows: they may then be newer than the version says, never older.
        present = await store.version(session)
        if present.version < known:
            present = await _restored(session, present, known)
        if present.version <= known:
            return None
        if known > present.whole_since:
            change = await self._change(session, present.version, known)
            if change is not None:
                return change
        return await self._whole(session, present)

    async def recent(self, session: AsyncSession, known: int) -> Snapshot | None:
        """For the bucket: a small table whole, of a large one the last versions' changes."""
        present = await store.version(session)
        if present.version <= known:
            return None
        after = max(present.version - RECENT_VERSIONS, 1)
        if after > present.whole_since and await store.is_larger(session, SMALL_TABLE):
            change = await self._change(session, present.version, after)
            return change or Snapshot(present.version, "")
        return await self._whole(session, present)

    async def _change(self, session: AsyncSession, version: int, after: int) -> Snapshot | None:
        """None when too much has changed."""
        kept = self._changes.get((after, version))
        if kept is not None:
            return kept
        limit = CHANGES_MAX + 1
        agreements, ended = await rerouted_agreements(
            session, self._clock, after=after, limit=limit
        )
        if len(agreements) + len(ended) > CHANGES_MAX:
            return None
        interfaces, retired = await routed_interfaces(session, after=after, limit=limit)
        groups = await routed_groups(session, after=after, limit=limit)
        if max(len(interfaces) + len(retired), len(groups)) > CHANGES_MAX:
            return None
        peers, gone = await routed_peers(session, after=after)
        content = Content(interfaces, agreements, groups, after, retired, ended, peers, gone)
        change = Snapshot(version, self._sign(version, content))
        self._changes[after, version] = change
        if len(self._changes) > CHANGES_CACHED:
            self._changes.popitem(last=False)
        return change

    async def _whole(self, session: AsyncSession, present: store.Present) -> Snapshot:
        kept = await store.newest(session)
        if kept is not None and kept.version == present.version:
            return Snapshot(kept.version, kept.jws)
        is_fit = kept is not None and kept.version > present.whole_since
        if kept is not None and is_fit and await store.is_larger(session, SMALL_TABLE):
            change = await self._change(session, present.version, kept.version)
            if change is not None:
                return Snapshot(kept.version, kept.jws)
        interfaces, _ = await routed_interfaces(session, after=0, limit=ALL)
        agreements = await routed_agreements(session, self._clock)
        groups = await routed_groups(session, after=0, limit=ALL)
        peers, _ = await routed_peers(session, after=0)
        content = Content(interfaces, agreements, groups, peers=peers)
        # Off the loop: packing and signing a hundred thousand agreements takes a second.
        signed = await asyncio.to_thread(self._sign, present.version, content)
        jws = await store.keep(session, present.version, signed, self._clock.now())
        return Snapshot(present.version, jws)

    def _sign(self, version: int, content: Content) -> str:
        payload = snapshot_document(version, self._clock.now(), self._instance, content)
        return self._signer.sign(payload)


async def _restored(session: AsyncSession, present: store.Present, known: int) -> store.Present:
    """A database that lost commits (put back from a backup, or a standby that lagged) would give
    numbers again, and who knows them would take no change under one.
    """
    log.warning("routes go on above version %d: the database knew %d only", known, present.version)
    return await store.pass_over(session, known)
