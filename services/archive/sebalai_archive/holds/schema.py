"""Wire shapes of legal holds."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

RECORDS_MAX = 1_000

Line = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$"
    ),
]


class HoldPlace(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Line
    reference: Annotated[Line, Field(description="number of the letter that asks for it")]
    records: Annotated[list[UUID], Field(min_length=1, max_length=RECORDS_MAX)]


class HoldRelease(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Line


class HoldRead(BaseModel):
    id: UUID
    agency: str
    reason: str
    reference: str
    placed_by: str
    placed_at: datetime
    released_at: datetime | None
    released_by: str | None
    release_reason: str | None
    records: list[UUID]
