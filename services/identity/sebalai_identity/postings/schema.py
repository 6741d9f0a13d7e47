"""Wire shapes of postings and delegations."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from sebalai_identity.wording import Decree, Instant

MATTERS_MAX = 50

PostingKind = Literal["definitive", "plt", "plh"]
DelegationKind = Literal["an", "ub"]
Matter = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.:-]{0,63}$")]


class PostingRecord(BaseModel):
    """A Plt. or Plh. names its end; it ends by itself."""

    model_config = ConfigDict(extra="forbid")

    person_id: UUID
    position_id: UUID
    kind: PostingKind = "definitive"
    decree: Decree
    valid_from: Instant
    valid_until: Instant | None = None


class PostingRead(BaseModel):
    id: UUID
    person_id: UUID
    position_id: UUID
    kind: str
    decree: str
    source: str
    valid_from: datetime
    valid_until: datetime | None
    is_cancelled: bool
    recorded_at: datetime


class DelegationRecord(BaseModel):
    """`matters` are the codes of what may be signed; `parent_id` is the a.n. an u.b. rests on."""

    model_config = ConfigDict(extra="forbid")

    from_posting_id: UUID
    to_posting_id: UUID
    kind: DelegationKind = "an"
    parent_id: UUID | None = None
    matters: Annotated[set[Matter], Field(min_length=1, max_length=MATTERS_MAX)]
    decree: Decree
    valid_from: Instant
    valid_until: Instant


class DelegationRead(BaseModel):
    id: UUID
    from_posting_id: UUID
    to_posting_id: UUID
    kind: str
    parent_id: UUID | None
    matters: list[str]
    decree: str
    valid_from: datetime
    valid_until: datetime
    is_cancelled: bool
    recorded_at: datetime
