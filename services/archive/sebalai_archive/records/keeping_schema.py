"""Wire shapes of what stands around a record: file units, needs, relations, loans, openings."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from sebalai_archive.codes import Code
from sebalai_archive.reader import SecurityClass
from sebalai_archive.records.access import Need
from sebalai_archive.records.schema import Title
from sebalai_archive.texts import Line, Slug, Subject

RelationKind = Literal["replies_to", "attachment_of", "revises", "refers_to"]


class FileUnitOpen(BaseModel):
    model_config = ConfigDict(extra="forbid")

    number: Line
    title: Title
    classification: Code
    security_class: SecurityClass | None = None
    unit: Slug | None = None


class FileUnitRead(BaseModel):
    """`series` is the classification code, `fonds` the agency whose archive it belongs to."""

    id: UUID
    fonds: str
    series: str
    unit: str | None
    number: str
    title: str
    security_class: SecurityClass
    opened_at: datetime
    closed_at: datetime | None


class NeedGive(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: Need
    agency: Slug
    subject: Annotated[
        Subject | None, Field(description="one official; left out, the whole agency")
    ] = None
    reason: Line
    reference: Annotated[Line | None, Field(description="number of the letter or case")] = None
    valid_until: AwareDatetime | None = None


class NeedRead(NeedGive):
    model_config = ConfigDict(extra="ignore")

    id: UUID
    given_by: str
    valid_from: datetime


class RelationAdd(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: RelationKind
    record: UUID


class RelationsRead(BaseModel):
    items: list[RelationAdd]


class LoanAsk(BaseModel):
    model_config = ConfigDict(extra="forbid")

    borrower: Subject
    agency: Slug
    reason: Line
    due_at: AwareDatetime


class LoanRead(LoanAsk):
    id: UUID
    record: UUID
    lent_at: datetime
    returned_at: datetime | None
