"""Wire shapes of datasets."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from sebalai_services_catalog.datasets.machine import Act, State, possible
from sebalai_services_catalog.datasets.metadata import Line, Metadata
from sebalai_services_catalog.datasets.model import Dataset
from sebalai_services_catalog.datasets.own import AUTHOR

REVISION_MAX = 2**31 - 1


class DatasetRead(BaseModel):
    """What everybody reads. `described_by` is `platform` for its own data, else `officer`."""

    id: UUID
    slug: str
    agency: str
    described_by: str
    published_at: datetime
    modified_at: datetime
    metadata: Metadata

    @classmethod
    def of(cls, row: Dataset) -> Self:
        return cls.model_validate(
            {
                "id": row.id,
                "slug": row.slug,
                "agency": row.agency,
                "described_by": AUTHOR if row.published_by is None else "officer",
                "published_at": row.published_at,
                "modified_at": row.modified_at,
                "metadata": row.shown,
            }
        )


class DraftRead(BaseModel):
    """`is_public`: a published version of it is read meanwhile. `note`: why it was sent back or
    withdrawn; `possible`: what may be done to it now.
    """

    id: UUID
    slug: str
    agency: str
    state: State
    is_public: bool
    revision: int
    author: str
    submitted_by: str | None
    changed_at: datetime
    note: str | None
    possible: list[Act]
    metadata: Metadata

    @classmethod
    def of(cls, row: Dataset) -> Self:
        names = ("id", "slug", "agency", "state", "revision", "author", "submitted_by",
                 "changed_at", "note")  # fmt: skip
        fields = {name: getattr(row, name) for name in names}
        standing = row.standing
        return cls.model_validate(
            fields
            | {
                "is_public": standing.is_public,
                "possible": possible(standing),
                "metadata": row.draft,
            }
        )


class ActRead(BaseModel):
    act: str
    state_before: str
    state_after: str
    actor: str
    at: datetime
    reason: str | None


class _Write(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DraftWrite(_Write):
    """`revision` is the one that was read; 0 begins a new dataset."""

    revision: Annotated[int, Field(ge=0, le=REVISION_MAX)]
    agency: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")]
    metadata: Metadata


class Reason(_Write):
    reason: Line
