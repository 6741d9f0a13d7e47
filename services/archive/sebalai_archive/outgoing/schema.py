"""Wire shapes of outgoing letters."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from sebalai_archive.codes import Code
from sebalai_archive.outgoing.states import Act, State
from sebalai_archive.reader import SecurityClass
from sebalai_archive.signing.signer import Profile, SignatureState, Unlock
from sebalai_archive.texts import Line, Passphrase, Prose, SecretNik, Slug, Subject

ADDRESSEES_MAX = 100
COPIES_MAX = 50
PARAGRAPHS_MAX = 200
VERIFIERS_MAX = 10
NOTE_LENGTH_MAX = 1_000

Urgency = Literal["biasa", "segera", "sangat_segera"]


class Addressee(BaseModel):
    """`agency` is a slug when it is one of the province's own: it gets the letter over the bus."""

    model_config = ConfigDict(extra="forbid")

    name: Line
    agency: Slug | None = None


class SignerWanted(BaseModel):
    """`subject` is who will sign; `on_behalf` the authority used (Plt., Plh., a.n., u.b.)."""

    model_config = ConfigDict(extra="forbid")

    subject: Subject
    name: Line
    position: Line
    on_behalf: Literal["plt", "plh", "an", "ub"] | None = None


class LetterDraft(BaseModel):
    model_config = ConfigDict(extra="forbid")

    letter_type: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,60}$")]
    classification: Code
    security_class: SecurityClass = "biasa"
    urgency: Urgency = "biasa"
    subject: Line
    unit: Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]{1,40}$")]
    place: Line = "Pangkalpinang"
    addressees: Annotated[list[Addressee], Field(min_length=1, max_length=ADDRESSEES_MAX)]
    copies: Annotated[list[Line], Field(max_length=COPIES_MAX)] = []
    paragraphs: Annotated[list[Prose], Field(min_length=1, max_length=PARAGRAPHS_MAX)]
    verifiers: Annotated[list[Subject], Field(max_length=VERIFIERS_MAX)] = []
    signer: SignerWanted


class Note(BaseModel):
    model_config = ConfigDict(extra="forbid")

    note: Annotated[Prose, Field(max_length=NOTE_LENGTH_MAX)]


class SignatureWanted(BaseModel):
    """Where people sign with keys of their own at a certificate provider (BSrE): what it asks of
    them. Passed on once, kept nowhere. Without such a provider leave the body out.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    nik: SecretNik
    passphrase: Passphrase

    def unlock(self) -> Unlock:
        return Unlock(self.nik, self.passphrase)


class LetterActRead(BaseModel):
    act: Act
    actor: str
    note: str | None
    at: datetime


class LetterRead(BaseModel):
    id: UUID
    agency: str
    letter_type: str
    classification: str
    security_class: SecurityClass
    urgency: Urgency
    subject: str
    unit: str
    place: str
    addressees: list[Addressee]
    copies: list[str]
    verifiers: list[str]
    verified: int
    signer: SignerWanted
    drafter: str
    state: State
    number: str | None
    letter_date: date | None
    record_id: UUID | None
    verification: str | None = Field(description="address at which anyone checks the letter")
    paragraphs: list[str] | None = Field(None, description="only where one letter is read")
    acts: list[LetterActRead] | None = Field(None, description="only where one letter is read")


class SignedFileRead(BaseModel):
    """One of the files that the letter has been: each begins with the one before it."""

    model_config = ConfigDict(from_attributes=True)

    profile: Profile
    sha256: str
    bytes: int
    at: datetime


class VerificationRead(BaseModel):
    """What anyone with the letter in hand may know: enough to compare, nothing of its text.
    `signature_state` `awaiting_timestamp`: trusted time is added as soon as an authority gives it.
    """

    number: str
    letter_date: date
    agency: str
    signer_name: str
    signer_position: str
    state: Literal["signed", "sent"]
    content_sha256: str
    certificate_serial: str
    profile: Profile
    signature_state: SignatureState
    files: list[SignedFileRead]
    receipt: str = Field(description="address of the ledger's proof of the record")
    content: str | None = Field(description="where anybody may read the letter; null if closed")
    is_destroyed: bool = Field(description="by decree; number, digests and proof remain")
