"""HTTP of peers: `/v1/peers`."""

from fastapi import APIRouter
from sebalai_shared.problems import FieldInvalid, responses

from sebalai_exchange.given import Asked
from sebalai_exchange.inputs import INPUT
from sebalai_exchange.peers import actions
from sebalai_exchange.peers.actions import PeersReserved, PeerUnknown, TooManyPeers
from sebalai_exchange.peers.model import Peer
from sebalai_exchange.peers.schema import Instance, PeerEnd, PeerList, PeerRead, PeerWanted
from sebalai_exchange.telling import Told

router = APIRouter(prefix="/v1/peers", tags=["peers"], responses=INPUT, dependencies=[Told])


def _read(peer: Peer) -> PeerRead:
    return PeerRead.model_validate(peer, from_attributes=True)


@router.get("")
async def list_peers(given: Asked) -> PeerList:
    """Other instances this one exchanges calls with, at most 100."""
    found = await actions.list_peers(given.session, caller=given.caller)
    return PeerList(items=[_read(peer) for peer in found])


@router.put("/{instance}", responses=responses(PeersReserved, TooManyPeers, FieldInvalid))
async def name_peer(given: Asked, instance: Instance, wanted: PeerWanted) -> PeerRead:
    """Names an instance, or says anew what is trusted of it; in force within two seconds."""
    naming = given.request.app.state.settings.instance, instance
    named = await actions.name_peer(
        given.session, given.clock, caller=given.caller, naming=naming, wanted=wanted
    )
    return _read(named)


@router.post("/{instance}/end", responses=responses(PeersReserved, PeerUnknown))
async def end_peer(given: Asked, instance: Instance, why: PeerEnd) -> PeerRead:
    """No call passes either way, within two seconds."""
    ended = await actions.end_peer(
        given.session, given.clock, caller=given.caller, instance=instance, reason=why.reason
    )
    return _read(ended)
