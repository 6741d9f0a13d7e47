"""Wire shapes of legal holds."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from sebalai_archive.texts import LongLine

RECORDS_MAX = 1_000


class HoldPlace(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: LongLine
    reference: Annotated[LongLine, Field(description="number of the letter that asks for it")]
    records: Annotated[list[UUID], Field(min_length=1, max_length=RECORDS_MAX)]


class HoldRelease(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: LongLine


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
