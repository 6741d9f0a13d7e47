"""Wire shapes of numbering."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from sebalai_archive.numbering.model import State
from sebalai_archive.numbering.pattern import PATTERN_LENGTH_MAX, check_pattern
from sebalai_archive.texts import LongLine

BLOCK_MAX = 200


def _checked(pattern: str) -> str:
    check_pattern(pattern)
    return pattern


Book = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$", examples=["keluar"])]
Pattern = Annotated[
    str,
    Field(
        min_length=1,
        max_length=PATTERN_LENGTH_MAX,
        examples=["{klasifikasi}/{nomor:3}/{unit}/{bulan_romawi}/{tahun}"],
    ),
    AfterValidator(_checked),
]


class TemplateCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    letter_type: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,60}$")]
    book: Book
    pattern: Pattern
    valid_from: date


class TemplateRead(BaseModel):
    id: UUID
    agency: str
    letter_type: str
    book: str
    pattern: str
    valid_from: date


class BlockCreate(BaseModel):
    """Numbers set aside in advance, for days on which the platform cannot be reached."""

    model_config = ConfigDict(extra="forbid")

    book: Book
    count: Annotated[int, Field(ge=1, le=BLOCK_MAX)]


class BlockRead(BaseModel):
    id: UUID
    agency: str
    book: str
    year: int
    first: int
    last: int


class NumberRead(BaseModel):
    id: UUID
    book: str
    year: int
    n: int
    state: State
    text: str | None
    letter_id: UUID | None
    block_id: UUID | None
    reason: str | None
    reserved_at: datetime
    settled_at: datetime | None


class NumberVoid(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: LongLine
