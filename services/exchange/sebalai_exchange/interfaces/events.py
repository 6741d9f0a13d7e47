"""Facts about interfaces, for everybody, and leaves of `records`: `by` is an application, or the
operator, never a person.
"""

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.events import Event

from sebalai_exchange.interfaces.model import Interface

PUBLISHED = "exchange.interface.published.v1"
DEPRECATED = "exchange.interface.deprecated.v1"
RETIRED = "exchange.interface.retired.v1"
SOURCE = "urn:sebalai:exchange"


def told_by(caller: Caller) -> str:
    return caller.application or "operator"


def _fact(kind: str, interface: Interface, by: str, clock: Clock) -> Event:
    data = {
        "interface_id": str(interface.id),
        "interface": interface.name,
        "provider": interface.provider,
        "agency": interface.agency,
        "contract_sha256": interface.contract_sha256,
        "by": by,
    }
    return Event(kind, SOURCE, interface.name, data, clock.now())


def published(interface: Interface, by: str, clock: Clock) -> Event:
    return _fact(PUBLISHED, interface, by, clock)


def deprecated(interface: Interface, by: str, clock: Clock) -> Event:
    return _fact(DEPRECATED, interface, by, clock)


def retired(interface: Interface, by: str, clock: Clock) -> Event:
    return _fact(RETIRED, interface, by, clock)
