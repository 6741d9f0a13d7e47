"""Facts about interfaces."""

from sebalai_shared.clock import Clock
from sebalai_shared.events import Event

from sebalai_exchange.interfaces.model import Interface

PUBLISHED = "exchange.interface.published.v1"
DEPRECATED = "exchange.interface.deprecated.v1"
RETIRED = "exchange.interface.retired.v1"
SOURCE = "urn:sebalai:exchange"


def _fact(kind: str, interface: Interface, clock: Clock) -> Event:
    data = {
        "interface_id": str(interface.id),
        "interface": interface.name,
        "provider": interface.provider,
        "agency": interface.agency,
        "contract_sha256": interface.contract_sha256,
    }
    return Event(kind, SOURCE, interface.name, data, clock.now())


def published(interface: Interface, clock: Clock) -> Event:
    return _fact(PUBLISHED, interface, clock)


def deprecated(interface: Interface, clock: Clock) -> Event:
    return _fact(DEPRECATED, interface, clock)


def retired(interface: Interface, clock: Clock) -> Event:
    return _fact(RETIRED, interface, clock)
