"""Wire shapes of evidence types, consents and previews."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from sebalai_services_catalog.evidence.machine import Act, State
from sebalai_services_catalog.evidence.model import Consent, ConsentAct, EvidenceType
from sebalai_services_catalog.provenance import ProvenanceRead

Policy = Literal["2026-1"]
POLICY: Policy = "2026-1"
"""Which wording of the consent page is meant; a new wording gets a new name."""

ASK_WORKING_DAYS = 3
ASK_WORKING_DAYS_MAX = 14

TypeCode = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
_Value = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]*$")]


class _Write(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ConsentWrite(_Write):
    """`explicit`: the person asked for it; `policy` as read at `GET …/evidence`."""

    explicit: Literal[True]
    policy: Policy


class PreviewWrite(_Write):
    """`subject` goes to the holder and is kept nowhere: the fields the type asks for."""

    consent: UUID
    subject: Annotated[dict[Annotated[str, Field(max_length=40)], _Value], Field(max_length=5)]


class ConsentRef(_Write):
    consent: UUID


class AskWrite(_Write):
    """`working_days` are the holder's, counted from tomorrow; the request's own clock runs on."""

    revision: Annotated[int, Field(ge=1, le=2**31 - 1)]
    reason: Annotated[str, Field(min_length=1, max_length=1_000, pattern=r"^[^\x00]*$")]
    working_days: Annotated[int, Field(ge=1, le=ASK_WORKING_DAYS_MAX)] = ASK_WORKING_DAYS


class EvidenceTypeRead(BaseModel):
    """`over_the_bus` false: upload it. `asks` is what the person must say of themselves."""

    code: str
    name: dict[str, str]
    holder: str
    over_the_bus: bool
    interface: str | None
    purpose: str | None
    asks: list[str]
    takes: list[str]
    provenance: ProvenanceRead

    @classmethod
    def of(cls, row: EvidenceType) -> "EvidenceTypeRead":
        asks = [row.key_field, row.match_field]
        return cls(
            code=row.code,
            name={"id": row.name_id, "en": row.name_en},
            holder=row.holder,
            over_the_bus=row.interface is not None,
            interface=row.interface,
            purpose=row.purpose,
            asks=[one for one in asks if one is not None],
            takes=row.fields,
            provenance=ProvenanceRead.of(row),
        )


class ConsentRead(BaseModel):
    """What was agreed to, for which request, and what came of it; nothing of the person.

    `sha256` is of what was taken over; `answer_sha256` of the holder's answer, which the call
    receipt of `message_id` names too. `was_used` stays after a withdrawal.
    """

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    request_id: UUID
    service: str
    agency: str
    evidence_type: str
    codes: list[str]
    holder: str
    interface: str
    purpose: str
    policy: str
    state: State
    given_by: str
    given_at: datetime
    valid_until: datetime
    fetches: int
    sha256: str | None
    answer_sha256: str | None
    message_id: UUID | None
    fetched_at: datetime | None
    was_used: bool
    ended_at: datetime | None


class ConsentActRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    act: Act
    state_before: str
    state_after: State
    actor: str
    at: datetime
    outcome: str | None
    message_id: UUID | None


class ConsentWhole(ConsentRead):
    acts: list[ConsentActRead]

    @classmethod
    def of(cls, row: Consent, acts: list[ConsentAct]) -> "ConsentWhole":
        read = ConsentRead.model_validate(row)
        return cls(**read.model_dump(), acts=[ConsentActRead.model_validate(one) for one in acts])


class PreviewRead(BaseModel):
    """What the holder says, shown to the person alone, until `until` or until decided on."""

    consent: UUID
    evidence_type: str
    holder: str
    codes: list[str]
    document: dict[str, Any]
    sha256: str
    message_id: UUID
    fetched_at: datetime
    until: datetime


class WantedRead(BaseModel):
    """One requirement: who holds the evidence, whether it can be fetched, and how far that is.

    Uploading it is possible whenever `is_open`.
    """

    code: str
    name: str
    evidence_type: str
    holder: str | None
    fetch: bool
    upload: bool
    answered_by: str | None
    consent: UUID | None
    consent_state: State | None


class EvidenceRead(BaseModel):
    """`policy` and `valid_days` belong on the consent page, with who will see it: `agency`.

    `asked` is the type that an officer asked for in a filed request, `asked_until` its last moment.
    """

    request_id: UUID
    agency: str
    asked: str | None
    asked_until: datetime | None
    policy: str
    valid_days: int
    requirements: list[WantedRead]
