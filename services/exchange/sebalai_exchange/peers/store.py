"""SQL of peers. What is trusted of another instance is public: `visible_to` hides nothing."""

from collections.abc import Sequence

from sebalai_shared.caller import Caller
from sqlalchemy import Select, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_exchange.peers.model import ACTIVE, Peer
from sebalai_exchange.peers.schema import PEERS_MAX


def visible_to(_: Caller) -> Select[Peer]:
    return select(Peer)


async def page(session: AsyncSession, caller: Caller) -> Sequence[Peer]:
    return (await session.scalars(visible_to(caller).order_by(Peer.instance))).all()


async def lock(session: AsyncSession, instance: str) -> Peer | None:
    return await session.scalar(select(Peer).where(Peer.instance == instance).with_for_update())


async def active(session: AsyncSession, instance: str) -> Peer | None:
    query = select(Peer).where(Peer.instance == instance, Peer.state == ACTIVE)
    return await session.scalar(query)


_ROUTED = text(
    """
    SELECT instance, state = 'active' AS is_in, json_build_object('instance', instance,
      'gateway', gateway, 'keys', keys, 'offers', offers)::text AS document
    FROM peer WHERE route_version > :after ORDER BY instance LIMIT :limit
    """
)


async def routed(session: AsyncSession, after: int) -> tuple[list[str], list[str]]:
    """JSON of the active, names of the others, changed after a version."""
    rows = (await session.execute(_ROUTED, {"after": after, "limit": PEERS_MAX})).all()
    return [row.document for row in rows if row.is_in], [
        row.instance for row in rows if not row.is_in
    ]
