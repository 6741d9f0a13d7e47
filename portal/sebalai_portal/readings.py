"""The shapes the portal reads from other members' answers: only the fields it shows. A field more
does not disturb it; a mark that is missing counts as not verified.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel

VERIFIED = "verified"


class Provenance(BaseModel):
    status: str


class _Marked(BaseModel):
    """A row of reference data with its provenance mark."""

    provenance: Provenance | None = None

    @property
    def is_verified(self) -> bool:
        return self.provenance is not None and self.provenance.status == VERIFIED


class Agency(_Marked):
    slug: str
    name: str


class AgencyPage(BaseModel):
    items: list[Agency]
    next: str | None = None


class Text(BaseModel):
    """A text in both languages; the English may still be missing."""

    id: str
    en: str = ""

    def spoken(self, language: str) -> str:
        return self.en if language == "en" and self.en else self.id


class Service(_Marked):
    name: Text
    agency: str
    summary: Text


class ServicePage(BaseModel):
    items: list[Service]
    next: str | None = None


class Call(BaseModel):
    """A row of the list. The public view names the consumer's agency, not its application."""

    message_id: UUID
    requested_at: datetime
    consumer_agency: str | None = None
    interface: str | None = None
    method: str | None = None
    outcome: str
    status: int | None = None


class CallPage(BaseModel):
    items: list[Call]
    next: str | None = None


class SignedFile(BaseModel):
    """One of the files that a signed letter has been."""

    profile: str
    sha256: str
    at: datetime


class Verification(BaseModel):
    """What anybody with a letter in hand may know of it; nothing of its text."""

    number: str
    letter_date: date
    agency: str
    signer_name: str
    signer_position: str
    files: list[SignedFile]
    receipt: str
    content: str | None = None
    is_destroyed: bool = False

    def file_with(self, sha256: str) -> SignedFile | None:
        return next((one for one in self.files if one.sha256 == sha256), None)


class SignatureReport(BaseModel):
    """What the signature in the letter's last file is worth."""

    is_intact: bool
    is_trusted: bool
    explanation: str
    signer: str
    time_used: datetime
    time_source: str

    def spoken(self, language: str) -> str:
        """The explanation comes in both languages, Indonesian first."""
        spoken, _, english = self.explanation.partition(" / ")
        return english if language == "en" and english else spoken


class CallTrace(BaseModel):
    """When a call passed which station and on what ground.

    What the public view leaves out is null here, as is what did not happen: only what is there
    can be shown.
    """

    message_id: UUID
    requested_at: datetime
    forwarded_at: datetime | None = None
    responded_at: datetime | None = None
    completed_at: datetime
    consumer_agency: str | None = None
    interface: str | None = None
    provider: str | None = None
    method: str | None = None
    outcome: str
    status: int | None = None
    problem: str | None = None
    agreement: str | None = None
    rule: str | None = None
    purpose: str | None = None
    legal_basis: str | None = None
    trace_id: str | None = None
