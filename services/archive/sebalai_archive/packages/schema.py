"""Wire shapes of packages."""

from uuid import UUID

from pydantic import BaseModel, Field


class ImportedRead(BaseModel):
    """`source` is its identifier where the package was made, `record` the draft here."""

    source: UUID
    record: UUID
    is_new: bool = Field(description="false: an earlier package brought it")


class ImportRead(BaseModel):
    records: list[ImportedRead]
