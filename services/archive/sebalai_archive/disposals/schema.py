"""Wire shapes of proposals and disposals."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from sebalai_archive.disposals.machine import Kind, Slot, State
from sebalai_archive.signing.signer import Unlock
from sebalai_archive.texts import Line, LongLine, Passphrase, SecretNik, Subject

ITEMS_MAX = 1_000

Authority = Literal["anri_head", "governor", "archive_head"]


class ProposalRead(BaseModel):
    record: UUID
    act: str
    approver: str | None
    reasons: list[str]
    proposed_at: datetime


class People(BaseModel):
    """Subjects; with the proposer, who is the caller, six different ones."""

    model_config = ConfigDict(extra="forbid")

    reviewer: Subject
    approver: Subject
    executor: Subject
    witness_legal: Subject
    witness_supervision: Subject


class DisposalOpen(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: Kind
    records: Annotated[list[UUID], Field(min_length=1, max_length=ITEMS_MAX)]
    people: People


class Decision(BaseModel):
    model_config = ConfigDict(extra="forbid")

    record: UUID
    fate: Literal["musnah", "permanen"]


class StepDo(BaseModel):
    """`evidence` names a declared record for each slot of the step. `decisions` come with
    `appraise`, one for each record that has to be weighed; `authority` with `approve`.
    """

    model_config = ConfigDict(extra="forbid")

    evidence: dict[Slot, UUID] = {}
    decisions: Annotated[list[Decision], Field(max_length=ITEMS_MAX)] = []
    authority: Authority | None = None


class MinutesIssue(BaseModel):
    """How the executor stands under the minutes; NIK and passphrase as for a letter."""

    model_config = ConfigDict(extra="forbid")

    name: Line
    position: Line
    place: Line = "Pangkalpinang"
    nik: SecretNik | None = None
    passphrase: Passphrase | None = None

    def unlock(self) -> Unlock | None:
        return Unlock(self.nik, self.passphrase) if self.nik and self.passphrase else None


class Withdraw(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: LongLine


class ActRead(BaseModel):
    step: str
    by: str
    at: datetime
    evidence: dict[str, str]


class NextRead(BaseModel):
    step: str
    part: str
    slots: list[str]


class DisposalRead(BaseModel):
    id: UUID
    agency: str
    kind: Kind
    state: State
    people: dict[str, str]
    authority: str | None
    list_root: str | None
    records: list[UUID]
    acts: list[ActRead]
    next: NextRead | None
    created_at: datetime
    executed_at: datetime | None
    withdrawn_reason: str | None
    minutes: UUID | None
