"""Wire shapes of subscriptions."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from sebalai_exchange.names import (
    EVENT_TYPE_LENGTH_MAX,
    EVENT_TYPE_WORDS,
    ApplicationName,
    Line,
    Slug,
)

TYPES_MAX = 50
FILTERS_MAX = 20
URL_LENGTH_MAX = 500
TYPE_FILTER_PATTERN = rf"^{EVENT_TYPE_WORDS}{{0,5}}(\.v[1-9][0-9]{{0,2}}|\.\*)$"

TypeFilter = Annotated[
    str, StringConstraints(pattern=TYPE_FILTER_PATTERN, max_length=EVENT_TYPE_LENGTH_MAX)
]
Url = Annotated[
    str, StringConstraints(pattern=r"^https?://[^\s#\x00-\x1f]+$", max_length=URL_LENGTH_MAX)
]
Kind = Literal["webhook", "pull", "sse", "nats"]
Ordering = Literal["per_key", "none"]
State = Literal["verifying", "active", "paused", "disabled", "ended"]


class Start(BaseModel):
    """Where to begin: behind a position of the log, or at a time, but not both; left out, a
    subscription begins with what is published from now on.
    """

    model_config = ConfigDict(extra="forbid")

    position: int | None = Field(default=None, ge=0)
    time: AwareDatetime | None = None


class SubscriptionRequest(BaseModel):
    """`types` are event types, or `<beginning>.*`; `filters` the CloudEvents dialects."""

    model_config = ConfigDict(extra="forbid")

    subscriber: ApplicationName
    title: Line
    types: list[TypeFilter] = Field(min_length=1, max_length=TYPES_MAX)
    filters: list[dict[str, Any]] = Field(default_factory=list, max_length=FILTERS_MAX)
    purpose: Slug | None = None
    kind: Kind
    url: Url | None = None
    ordering: Ordering = "per_key"
    start: Start = Field(default_factory=Start)


class SubscriptionChange(BaseModel):
    """What is left out stays. Either way a webhook's address has to agree anew."""

    model_config = ConfigDict(extra="forbid")

    url: Url | None = None
    ordering: Ordering | None = None


class Reason(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Line


class SubscriptionRead(BaseModel):
    """`lag`: events of the log behind which the subscription stands; `waiting`, `held`, `dead`:
    deliveries not done (`dead` ones want a decision).
    """

    id: UUID
    subscriber: str
    title: str
    types: list[str]
    filters: list[dict[str, Any]]
    purpose: str | None
    kind: Kind
    url: str | None
    ordering: Ordering
    state: State
    reason: str | None
    position: int
    lag: int
    waiting: int
    held: int
    dead: int
    failures: int
    open_until: datetime | None
    delivered_at: datetime | None
    created_at: datetime
    changed_at: datetime


class SecretRead(BaseModel):
    """`secret` signs now; one from before signs beside it until `previous_until`."""

    secret: str
    generation: int
    previous_until: datetime | None
