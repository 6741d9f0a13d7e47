"""Wire shapes of records."""

from datetime import date, datetime
from datetime import date as date_
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from sebalai_archive.codes import Code
from sebalai_archive.reader import SecurityClass
from sebalai_archive.records.model import State
from sebalai_archive.retention.actions import TriggerKind as Trigger
from sebalai_archive.texts import Line, Slug

TITLE_LENGTH_MAX = 500
DESCRIPTION_LENGTH_MAX = 5_000

# No control characters: a title is one line wherever it is printed.
Title = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        min_length=1,
        max_length=TITLE_LENGTH_MAX,
        pattern=r"^[^\x00-\x1f\x7f]*$",
    ),
]
Description = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        max_length=DESCRIPTION_LENGTH_MAX,
        pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$",
    ),
]
Filename = Annotated[
    str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f/\\]*$")
]
DevelopmentLevel = Literal["asli", "salinan", "tembusan", "pertinggal"]
Protection = Literal["biasa", "vital", "terjaga"]


class RecordCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: Title
    classification: Code
    description: Description | None = None
    file_unit: UUID | None = None
    security_class: Annotated[
        SecurityClass | None,
        Field(description="SKKAAD; left out, the schedule's proposal, else terbatas"),
    ] = None
    unit: Slug | None = None
    number: Line | None = None
    dated: Annotated[date | None, Field(description="left out, today")] = None
    development_level: DevelopmentLevel = "asli"
    medium: Line = "elektronik"
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")] = "id"
    condition: Line = "baik"
    protection: Protection = "biasa"
    location: Line | None = None
    filename: Filename | None = None


class RecordDeclare(BaseModel):
    """`trigger_date` is the civil date from which the retention is counted; while it is absent the
    clock does not run.
    """

    model_config = ConfigDict(extra="forbid")

    trigger: Trigger = "setelah_berkas_ditutup"
    trigger_date: date | None = None


class TriggerSet(BaseModel):
    """The act that starts the retention; `date` is its civil date."""

    model_config = ConfigDict(extra="forbid")

    trigger: Trigger
    date: date_
    reason: Line


class RetentionEventRead(BaseModel):
    at: datetime
    by: str
    kind: str
    reason: str
    old: dict[str, str | int | None]
    new: dict[str, str | int | None]


class ExaminationRead(BaseModel):
    state: str
    puid: Annotated[str | None, Field(description="PRONOM identifier of the format")]
    pages: int | None
    note: str | None
    scan: str
    recognition: Annotated[
        str | None,
        Field(description="of a scan: waiting, no_engine, done, empty, failed, over_limit"),
    ]
    recognised_pages: int | None
    at: datetime


class ContentRead(BaseModel):
    sha256: str
    bytes: int
    type: str
    stored_at: datetime
    filename: str | None
    same_as: Annotated[
        list[UUID], Field(description="records of equal bytes that you may know of, at most 10")
    ] = []


class RetentionRead(BaseModel):
    """`rule` is the classification code whose rule governs; null when the schedule has none."""

    clock: Literal["running", "not running"]
    stage: Literal["active", "inactive", "due"]
    rule: str | None
    rule_version: int | None
    offset_months: int
    exception: str | None
    active_years: int | None
    inactive_years: int | None
    final_disposition: str | None
    trigger: str
    trigger_date: date | None
    active_until: date | None
    inactive_until: date | None


class DeclarationRead(BaseModel):
    """What the owner needs to prove the record: `commitment` stands in the ledger and is SHA-256
    over the salt's bytes and then the UTF-8 text of `statement`.
    """

    event_id: UUID
    declared_at: datetime
    statement: str
    salt: Annotated[
        str | None, Field(description="base64url, 32 bytes; null once the record is destroyed")
    ]
    commitment: str


class RecordRead(BaseModel):
    id: UUID
    agency: str
    application: str
    title: str
    description: str | None
    classification: str
    file_unit: UUID | None
    security_class: SecurityClass
    unit: str | None
    number: str | None
    dated: date | None
    development_level: str
    medium: str
    language: str
    condition: str
    protection: str
    location: str | None
    state: State
    created_at: datetime
    content: ContentRead | None
    retention: RetentionRead | None
    declaration: DeclarationRead | None
    receipt: Annotated[str | None, Field(description="address of the proof in the ledger")]
