"""Wire shapes of incoming letters."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from sebalai_archive.codes import Code
from sebalai_archive.incoming.model import DispositionState
from sebalai_archive.reader import SecurityClass
from sebalai_archive.texts import Line, Prose, Subject

INSTRUCTION_LENGTH_MAX = 2_000

Urgency = Literal["biasa", "segera", "sangat_segera"]
Channel = Literal["paper", "email", "bus", "srikandi"]
Protection = Literal["biasa", "vital", "terjaga"]


class IncomingCreate(BaseModel):
    """A letter the office holds in its hands; `record_id` is the record with its scan."""

    model_config = ConfigDict(extra="forbid")

    sender: Line
    letter_number: Line | None = None
    letter_date: date | None = None
    subject: Line
    security_class: Annotated[
        SecurityClass | None, Field(description="left out, the scan's; never below it")
    ] = None
    urgency: Urgency = "biasa"
    channel: Literal["paper", "email", "srikandi"] = "paper"
    addressed_to: Subject
    record_id: UUID


class IncomingRegister(BaseModel):
    """For a letter that came over the bus: who in the agency it is for."""

    model_config = ConfigDict(extra="forbid")

    addressed_to: Subject


class IncomingFile(BaseModel):
    """Where a letter is filed; `classification` left out is its file unit's."""

    model_config = ConfigDict(extra="forbid")

    file_unit: UUID
    classification: Code | None = None
    security_class: Annotated[
        SecurityClass | None, Field(description="left out, the letter's; never below it")
    ] = None
    protection: Protection = "biasa"


class IncomingRead(BaseModel):
    id: UUID
    agency: str
    agenda: str | None
    sender: str
    letter_number: str | None
    letter_date: date | None
    subject: str | None = Field(description="null on an envelope that is not yours to open")
    security_class: SecurityClass
    urgency: Urgency
    channel: Channel
    addressed_to: str | None
    record_id: UUID | None
    content_sha256: str | None
    arrived_at: datetime
    registered_at: datetime | None


class OnBehalf(BaseModel):
    """The delegation under which somebody disposes, copied from the decree."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["plt", "plh", "an", "ub"]
    of: Line
    decree: Line
    until: date | None = None


class DispositionCreate(BaseModel):
    """`parent_id` is the sender's own disposition that is passed on; absent at the top."""

    model_config = ConfigDict(extra="forbid")

    parent_id: UUID | None = None
    recipient: Subject
    recipient_name: Line
    instruction: Annotated[Prose, Field(max_length=INSTRUCTION_LENGTH_MAX)]
    deadline: date | None = None
    on_behalf: OnBehalf | None = None


class DispositionDone(BaseModel):
    """`answer_id` is the outgoing letter that answers, when there is one."""

    model_config = ConfigDict(extra="forbid")

    outcome: Annotated[Prose, Field(max_length=INSTRUCTION_LENGTH_MAX)]
    answer_id: UUID | None = None


class DispositionRead(BaseModel):
    id: UUID
    letter_id: UUID
    parent_id: UUID | None
    sender: str
    on_behalf: OnBehalf | None
    recipient: str
    recipient_name: str
    instruction: str
    deadline: date | None
    state: DispositionState
    outcome: str | None
    answer_id: UUID | None
    sent_at: datetime
    read_at: datetime | None
    ended_at: datetime | None


class DispositionTree(BaseModel):
    """Every disposition of one letter, the earliest first; `parent_id` makes the tree."""

    items: list[DispositionRead]
