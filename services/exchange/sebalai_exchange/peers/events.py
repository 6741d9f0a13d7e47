"""Facts about peers: which other instance is trusted with what, and on whose word. They are
leaves of the log `records`.
"""

from sebalai_shared.clock import Clock
from sebalai_shared.events import Event

from sebalai_exchange.peers.model import Peer

PREFIX = "exchange.peer."
NAMED = f"{PREFIX}named.v1"
ENDED = f"{PREFIX}ended.v1"
SOURCE = "urn:sebalai:exchange"


def fact(kind: str, peer: Peer, clock: Clock) -> Event:
    """All that is trusted from now on; of keys their ids."""
    data = {
        "instance": peer.instance,
        "gateway": peer.gateway,
        "keys": [str(key["kid"]) for key in peer.keys],
        "ledger_key": peer.ledger_key,
        "offers": list(peer.offers),
        "by": peer.changed_by,
    }
    return Event(kind, SOURCE, peer.instance, data, clock.now())
