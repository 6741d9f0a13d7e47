"""GovStack's wire shapes of rooms, in the words of its definition; what is ours is said so."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from sebalai_exchange.govstack.words import ApplicationId, Words
from sebalai_exchange.names import EVENT_TYPE_LENGTH_MAX


class RoomApplication(ApplicationId):
    @property
    def name(self) -> str:
        place = f"{self.instance_id}/{self.member_class}/{self.member_code}"
        return f"{place}/{self.application_code}"

    @classmethod
    def of(cls, name: str) -> "RoomApplication":
        instance, group, member, application = name.split("/")
        return cls(
            instance_id=instance,
            member_class=group,
            member_code=member,
            application_code=application,
        )


class EventTypeWanted(Words):
    event_type: str = Field(max_length=EVENT_TYPE_LENGTH_MAX)
    event_schema: dict[str, Any] = Field(alias="schema")


class EventTypeRead(Words):
    event_type: str
    event_schema: dict[str, Any] = Field(serialization_alias="schema")


class PublishWanted(Words):
    """`key` is ours: events of one key stay in order among themselves alone."""

    event_type: str = Field(max_length=EVENT_TYPE_LENGTH_MAX)
    event: dict[str, Any]
    key: str | None = Field(default=None, min_length=1, max_length=200)


class PublishedRead(Words):
    id: UUID


class Options(Words):
    """`url` is ours: the definition does not say where PUSH delivers."""

    ttl: int = Field(default=3_600, ge=0, alias="TTL")
    fifo: bool = Field(default=False, alias="FIFO")
    url: str | None = Field(default=None, max_length=500)


class SubscriptionItem(Words):
    """As it is asked for. An `id` is not chosen by who asks; what is sent as one is passed over."""

    id: UUID | None = None
    subscriber_id: RoomApplication | None = None
    event_type: str = Field(max_length=EVENT_TYPE_LENGTH_MAX)
    delivery: Literal["PUSH", "PULL"] = "PUSH"
    options: Options = Field(default_factory=Options)


class StandingRead(Words):
    """Ours: what is behind, not done, and dead."""

    lag: int
    waiting: int
    held: int
    dead: int


class OptionsRead(Words):
    """What holds: `TTL` is how long events of the type stay, whatever was asked."""

    ttl: int = Field(serialization_alias="TTL")
    fifo: bool = Field(serialization_alias="FIFO")
    url: str | None


class SubscriptionRead(Words):
    """`id` is the subscription's in `/v1/subscriptions` too; `state` and `standing` are ours."""

    id: UUID
    subscriber_id: RoomApplication
    event_type: str
    delivery: Literal["PUSH", "PULL"]
    options: OptionsRead
    state: str
    standing: StandingRead


class EventItem(Words):
    """`sequence` is the log position: dense over all types, rising; 0 while it is given. `event` is
    an object unless it was published otherwise than here.
    """

    id: UUID
    sequence: int
    publisher_id: RoomApplication
    event_type: str
    event: Any


class PulledItem(EventItem):
    """Ours: it comes again unless it is acknowledged within `lease_seconds`."""

    lease_seconds: int


class ReceiverRead(Words):
    subscriber_id: RoomApplication
    state: str
    attempts: int
    last_at: datetime | None
    reason: str | None


class EventStatus(EventItem):
    """Ours: `received` of `expected` subscriptions, and each of them."""

    received: int
    expected: int
    receivers: list[ReceiverRead]


class DeadRead(Words):
    """Ours: what was tried for its whole time, or refused, and wants a decision."""

    id: UUID
    sequence: int
    attempts: int
    reason: str | None
