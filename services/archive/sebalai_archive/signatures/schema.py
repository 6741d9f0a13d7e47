"""Wire shapes of signatures."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from sebalai_archive.signing.report_read import ReportRead
from sebalai_archive.signing.signer import Profile, SignatureState


class SignatureFileRead(BaseModel):
    """`statement` and the record's salt give the commitment of the fact that `receipt` proves."""

    model_config = ConfigDict(from_attributes=True)

    place: int
    profile: Profile
    sha256: str
    bytes: int
    at: datetime
    stamped_at: datetime | None
    good_until: datetime | None
    statement: str | None
    receipt: str | None = None


class SignatureRead(BaseModel):
    """`due_at` is when the worker looks at it next, `problem` why it could not do what was due."""

    profile: Profile
    state: SignatureState
    due_at: datetime
    problem: str | None
    files: list[SignatureFileRead]
    report: ReportRead
