"""Wire shapes of event types."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from sebalai_exchange.names import EventType, InterfaceName, Line, Slug

EXAMPLES_MAX = 10

Access = Literal["open", "party", "agreement", "operator"]
State = Literal["active", "deprecated", "retired"]
RetentionDays = Literal[30, 365, 3650]


class TopicWanted(BaseModel):
    """`access`: open to every application; party: only those the data name as consumer, provider
    or agency; agreement: those with a granted agreement on `interface` whose rule is
    SUBSCRIBE /<type>; operator: the operator alone.
    """

    model_config = ConfigDict(extra="forbid")

    type: EventType
    title: Line
    description: Line
    event_schema: dict[str, Any] = Field(alias="schema")
    examples: list[dict[str, Any]] = Field(default_factory=list, max_length=EXAMPLES_MAX)
    data_categories: list[Slug] = Field(default_factory=list, max_length=30)
    access: Access = "agreement"
    interface: InterfaceName | None = None
    retention_days: RetentionDays = 365


class TopicPublish(TopicWanted):
    """Who describes a type here gives an example; GovStack's programs know none."""

    examples: list[dict[str, Any]] = Field(min_length=1, max_length=EXAMPLES_MAX)


class Deprecation(BaseModel):
    model_config = ConfigDict(extra="forbid")

    successor: EventType


class VersionRead(BaseModel):
    minor: int
    schema_sha256: str
    published_at: datetime


class TopicRead(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    type: str
    owner: str
    application: str | None
    interface: str | None
    title: str
    description: str
    access: Access
    data_categories: list[str]
    retention_days: int
    state: State
    successor: str | None
    retires_at: datetime | None
    minor: int
    event_schema: dict[str, Any] = Field(serialization_alias="schema", validation_alias="schema")
    examples: list[Any]
    created_at: datetime
    changed_at: datetime
