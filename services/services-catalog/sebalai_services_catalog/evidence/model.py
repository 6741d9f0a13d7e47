"""Tables of evidence types and consents. Never a NIK: who somebody is goes to the holder only."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sebalai_shared.database import Base
from sqlalchemy import DateTime, ForeignKey, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from sebalai_services_catalog.evidence.machine import Act, State
from sebalai_services_catalog.provenance import Marked

_Time = DateTime(timezone=True)


class EvidenceType(Marked, Base):
    """What a requirement can be met with, and who holds it. `interface` (agency/application/name)
    null: not to be had over the bus. `key_field` is what the holder searches by, `match_field`
    what its answer must agree with, `fields` the little that is taken over.
    """

    __tablename__ = "evidence_type"

    code: Mapped[str] = mapped_column(Text, primary_key=True)
    position: Mapped[int]
    name_id: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str] = mapped_column(Text)
    holder: Mapped[str] = mapped_column(Text)
    interface: Mapped[str | None] = mapped_column(Text)
    path: Mapped[str | None] = mapped_column(Text)
    key_field: Mapped[str | None] = mapped_column(Text)
    match_field: Mapped[str | None] = mapped_column(Text)
    fields: Mapped[list[str]] = mapped_column(JSONB)
    purpose: Mapped[str | None] = mapped_column(Text)


class Consent(Base):
    """`codes` are the requirements it answers; `held_until` while somebody fetches; `sha256` of
    what was taken over, `answer_sha256` of the holder's whole answer, as in the call receipt.
    """

    __tablename__ = "evidence_consent"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    request_id: Mapped[UUID] = mapped_column(ForeignKey("service_request.id"))
    service: Mapped[str] = mapped_column(Text)
    agency: Mapped[str] = mapped_column(Text)
    evidence_type: Mapped[str] = mapped_column(ForeignKey("evidence_type.code"))
    codes: Mapped[list[str]] = mapped_column(JSONB)
    holder: Mapped[str] = mapped_column(Text)
    interface: Mapped[str] = mapped_column(Text)
    purpose: Mapped[str] = mapped_column(Text)
    policy: Mapped[str] = mapped_column(Text)
    state: Mapped[State] = mapped_column(Text)
    given_by: Mapped[str] = mapped_column(Text)
    given_at: Mapped[datetime] = mapped_column(_Time)
    valid_until: Mapped[datetime] = mapped_column(_Time)
    fetches: Mapped[int] = mapped_column(default=0)
    held_until: Mapped[datetime | None] = mapped_column(_Time)
    preview: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    preview_until: Mapped[datetime | None] = mapped_column(_Time)
    sha256: Mapped[str | None] = mapped_column(Text)
    answer_sha256: Mapped[str | None] = mapped_column(Text)
    message_id: Mapped[UUID | None]
    fetched_at: Mapped[datetime | None] = mapped_column(_Time)
    was_used: Mapped[bool] = mapped_column(default=False)
    ended_at: Mapped[datetime | None] = mapped_column(_Time)


class ConsentAct(Base):
    """`outcome` of a failed fetch: `no_match`, `other_person`, `refused`, `unavailable`, `ended`
    (the consent was, when the holder answered).
    """

    __tablename__ = "evidence_consent_act"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    consent_id: Mapped[UUID] = mapped_column(ForeignKey("evidence_consent.id"))
    act: Mapped[Act] = mapped_column(Text)
    state_before: Mapped[str] = mapped_column(Text)
    state_after: Mapped[State] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(_Time)
    outcome: Mapped[str | None] = mapped_column(Text)
    message_id: Mapped[UUID | None]
