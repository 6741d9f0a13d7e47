"""Wire shapes of subscriptions."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
)

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
RETRY_PAUSES_MAX = 20
RETRY_PAUSE_SECONDS_MIN = 5
RETRY_PAUSE_SECONDS_MAX = 86_400
# It repeats for days: what fails for its own sake must not be tried every few seconds.
RETRY_LAST_SECONDS_MIN = 300
# Less than the shortest retention.
RETRY_DAYS_MAX = 14
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


Pause = Annotated[int, Field(ge=RETRY_PAUSE_SECONDS_MIN, le=RETRY_PAUSE_SECONDS_MAX)]


class RetriesWanted(BaseModel):
    """A webhook's own schedule: a pause in seconds after each failed try, of which the last
    repeats, and the days after which an event is set aside.
    """

    model_config = ConfigDict(extra="forbid")

    pauses_seconds: list[Pause] = Field(min_length=1, max_length=RETRY_PAUSES_MAX)
    days: int = Field(default=3, ge=1, le=RETRY_DAYS_MAX)

    @field_validator("pauses_seconds")
    @classmethod
    def _last_is_long(cls, pauses: list[int]) -> list[int]:
        if pauses[-1] < RETRY_LAST_SECONDS_MIN:
            raise ValueError(f"the last repeats: {RETRY_LAST_SECONDS_MIN} seconds at least")
        return pauses


class RetriesRead(BaseModel):
    """The schedule that holds: the subscriber's own, or the bus's (`is_own` false)."""

    pauses_seconds: list[int]
    days: int
    is_own: bool


class SubscriptionRequest(BaseModel):
    """`types` are event types, or `<beginning>.*`; `filters` the CloudEvents dialects
    (exact, prefix, suffix, all, any, not, sql), over attributes alone.
    """

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
    retries: RetriesWanted | None = None


class SubscriptionChange(BaseModel):
    """What is left out stays; with another address or ordering a webhook has to agree anew. Filters
    decide of what was not tried yet; an empty list takes them away. Retries hold from the next
    failure on; null goes back to the bus's own.
    """

    model_config = ConfigDict(extra="forbid")

    url: Url | None = None
    ordering: Ordering | None = None
    filters: list[dict[str, Any]] = Field(default_factory=list, max_length=FILTERS_MAX)
    retries: RetriesWanted | None = None


class Reason(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Line


class SubscriptionRead(BaseModel):
    """`lag`: events of the log behind which the subscription stands; `waiting`, `held`, `dead`:
    deliveries not done (`dead` ones want a decision). `retries` is for a webhook.
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
    retries: RetriesRead | None = None
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
