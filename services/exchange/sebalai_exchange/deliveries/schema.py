"""Wire shapes of deliveries."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from sebalai_exchange.names import Line

EVENT_IDS_MAX = 500
PULL_MAX = 500
WAIT_SECONDS_MAX = 25
DELAY_SECONDS_MAX = 3_600

OpenState = Literal["waiting", "held", "leased", "dead"]


class _Wanted(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ResendWanted(_Wanted):
    """Which dead deliveries; what is left out does not narrow."""

    event_ids: list[UUID] | None = Field(default=None, min_length=1, max_length=EVENT_IDS_MAX)
    key: str | None = Field(default=None, max_length=200)
    from_position: int | None = Field(default=None, ge=1)
    to_position: int | None = Field(default=None, ge=1)
    count_only: bool = False


class SkipWanted(_Wanted):
    event_ids: list[UUID] | None = Field(default=None, min_length=1, max_length=EVENT_IDS_MAX)
    key: str | None = Field(default=None, max_length=200)
    reason: Line


class ReplayWanted(_Wanted):
    """From a position or a time, to a position or the end; one type or all."""

    from_position: int | None = Field(default=None, ge=1)
    from_time: AwareDatetime | None = None
    to_position: int | None = Field(default=None, ge=1)
    type: str | None = Field(default=None, max_length=200)
    count_only: bool = False


class DecisionRead(BaseModel):
    """`count` fit; `done` were changed, at most 1,000 a call: call again until count is 0."""

    count: int
    done: int


class OpenRead(BaseModel):
    pos: int = Field(serialization_alias="position")
    event_id: UUID
    key: str | None
    state: OpenState
    attempts: int
    first_at: datetime
    next_at: datetime | None
    reason: str | None
    is_replay: bool


class AttemptRead(BaseModel):
    pos: int = Field(serialization_alias="position")
    event_id: UUID
    number: int
    outcome: Literal["delivered", "failed", "skipped"]
    status: int | None
    reason: str | None
    milliseconds: int
    at: datetime


class ReceiverRead(BaseModel):
    """`receipt`: what `/receipts/{id}` proves the delivery with, a few seconds later. `reason` is
    told to the subscriber and the operator.
    """

    subscription: UUID
    subscriber: str
    kind: str
    state: Literal["delivered", "pending", "waiting", "held", "leased", "dead", "skipped", "failed"]
    attempts: int
    last_at: datetime | None
    status: int | None
    reason: str | None
    receipt: UUID | None


class TraceRead(BaseModel):
    """`received` of `expected` subscriptions; `position` is null for a moment after publishing."""

    event_id: UUID
    source: str
    id: str
    type: str
    position: int | None
    publisher: str
    stored_at: datetime
    received: int
    expected: int
    receivers: list[ReceiverRead]


class PullWanted(_Wanted):
    max: int = Field(default=100, ge=1, le=PULL_MAX)
    wait_seconds: int = Field(default=0, ge=0, le=WAIT_SECONDS_MAX)


class PulledRead(BaseModel):
    """`event_id` is what is acknowledged, `event` the CloudEvent."""

    event_id: UUID
    event: dict[str, Any]


class BatchRead(BaseModel):
    """`events` stand in order; acknowledge them within `lease_seconds`."""

    lease: UUID | None
    lease_seconds: int
    events: list[PulledRead]


class AckWanted(_Wanted):
    lease: UUID
    event_ids: list[UUID] | None = Field(default=None, min_length=1, max_length=EVENT_IDS_MAX)


class NackWanted(AckWanted):
    delay_seconds: int = Field(default=5, ge=0, le=DELAY_SECONDS_MAX)


class AckRead(BaseModel):
    count: int
