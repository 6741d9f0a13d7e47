"""Decisions about peers: naming one with all that is trusted of it, and ending it."""

from collections.abc import Sequence

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.outbox import publish
from sebalai_shared.problems import Conflict, FieldInvalid, Forbidden, NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_exchange.peers import access, events, store
from sebalai_exchange.peers.model import ACTIVE, ENDED, Peer
from sebalai_exchange.peers.schema import PEERS_MAX, PeerWanted


class PeersReserved(Forbidden):
    slug, title = "peers-reserved", "Only the operator names other instances"


class PeerUnknown(NotFound):
    slug, title = "peer-unknown", "No such instance is named here"


class TooManyPeers(Conflict):
    slug, title = "peers-full", "As many instances are named as may be"


async def name_peer(
    session: AsyncSession,
    clock: Clock,
    *,
    caller: Caller,
    naming: tuple[str, str],
    wanted: PeerWanted,
) -> Peer:
    """`naming` is (our instance, the other). A peer that ended may be named anew.

    Raises `PeersReserved`, `FieldInvalid`, `TooManyPeers`.
    """
    _require_operator(caller)
    own, instance = naming
    if instance == own:
        raise FieldInvalid("/instance", "must be another instance than this one")
    foreign = [name for name in wanted.offers if not name.startswith(f"{own}/")]
    if foreign:
        raise FieldInvalid("/offers", f"{foreign[0]} is no interface of this instance")
    peer = await store.lock(session, instance)
    if peer is None:
        if len(await store.page(session, caller)) >= PEERS_MAX:
            raise TooManyPeers(f"At most {PEERS_MAX}.")
        peer = Peer(instance=instance)
        session.add(peer)
    peer.gateway, peer.ledger_key = wanted.gateway, wanted.ledger_key
    peer.keys = [key.model_dump() for key in wanted.keys]
    peer.offers, peer.reason = list(wanted.offers), None
    return await _decided(session, clock, caller, peer, events.NAMED)


async def end_peer(
    session: AsyncSession, clock: Clock, *, caller: Caller, instance: str, reason: str
) -> Peer:
    """No call either way from the next snapshot on. Raises `PeersReserved`, `PeerUnknown`."""
    _require_operator(caller)
    peer = await store.lock(session, instance)
    if peer is None:
        raise PeerUnknown("Those named are under /v1/peers.")
    peer.reason = reason
    return await _decided(session, clock, caller, peer, events.ENDED)


async def _decided(
    session: AsyncSession, clock: Clock, caller: Caller, peer: Peer, kind: str
) -> Peer:
    peer.state = ENDED if kind == events.ENDED else ACTIVE
    peer.changed_at, peer.changed_by = clock.now(), str(caller.application or caller.subject)
    await session.flush()
    await publish(session, events.fact(kind, peer, clock))
    return peer


def _require_operator(caller: Caller) -> None:
    if not access.may_name_peers(caller):
        raise PeersReserved("Call with scope platform.operate.")


async def list_peers(session: AsyncSession, *, caller: Caller) -> Sequence[Peer]:
    return await store.page(session, caller)


async def address_there(session: AsyncSession, *, interface: str) -> str | None:
    """Where an interface of another instance is called; None when that is not named or ended."""
    peer = await store.active(session, interface.partition("/")[0])
    return f"{peer.gateway}/r1/{interface}" if peer is not None else None


async def routed_peers(session: AsyncSession, *, after: int) -> tuple[list[str], list[str]]:
    """Of those changed after a version: JSON for the routing snapshot, names of the ended."""
    return await store.routed(session, after)
