"""Wire shapes of businesses and representations."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from sebalai_identity.names import Slug
from sebalai_identity.wording import Decree, Instant, Reason, SecretNumber, Title

Capacity = Literal["owner", "director", "attorney", "employee"]
MATTERS_MAX = 50
Matters = Annotated[frozenset[Slug], Field(min_length=1, max_length=MATTERS_MAX)]


class BusinessRegister(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    name: Title
    nib: SecretNumber


class BusinessFind(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    nib: SecretNumber


class BusinessClose(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Reason


class BusinessRead(BaseModel):
    id: UUID
    name: str
    nib_masked: str
    state: str
    reason: str | None
    registered_at: datetime


class RepresentationRecord(BaseModel):
    """`document` is the deed or letter of attorney it rests on; `matters` the codes of services and
    purposes it is limited to, when left out it is not.
    """

    model_config = ConfigDict(extra="forbid")

    person_id: UUID
    capacity: Capacity
    document: Decree
    matters: Matters | None = None
    valid_from: Instant
    valid_until: Instant | None = None


class RepresentationRead(BaseModel):
    id: UUID
    business_id: UUID
    person_id: UUID
    capacity: str
    document: str
    matters: list[str] | None
    valid_from: datetime
    valid_until: datetime | None
    recorded_at: datetime
