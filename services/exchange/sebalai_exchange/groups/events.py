"""Facts about groups. Who joins gains rights and who leaves loses them: leaves of `records`."""

from sebalai_shared.clock import Clock
from sebalai_shared.events import Event

from sebalai_exchange.groups.model import ConsumerGroup

PREFIX = "exchange.group."
CREATED = f"{PREFIX}created.v1"
JOINED = f"{PREFIX}joined.v1"
REMOVED = f"{PREFIX}removed.v1"
SOURCE = "urn:sebalai:exchange"


def fact(kind: str, group: ConsumerGroup, application: str, by: str, clock: Clock) -> Event:
    """`application` is who joined or left; the owner when the group was made."""
    data = {"group_id": str(group.id), "group": group.name, "application": application, "by": by}
    return Event(kind, SOURCE, group.name, data, clock.now())
