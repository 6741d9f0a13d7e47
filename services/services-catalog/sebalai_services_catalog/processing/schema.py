"""Wire shapes of the processing register."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from sebalai_services_catalog.processing.activity import Basis, Recorded
from sebalai_services_catalog.processing.model import KnownAgreement
from sebalai_services_catalog.provenance import ProvenanceRead

DRAFT_DAYS = 30
RULES = "/api/archive/v1/retention-rules/"


class PurposeRead(BaseModel):
    """`laws` are ids of `/v1/regulations`; the basis is one of UU 27/2022 art. 20 (2)."""

    code: str
    basis: Basis
    laws: list[str]


class DataRead(BaseModel):
    """`holder` gives it where it is fetched; `categories` as agreements name them (art. 4)."""

    code: str
    name: str
    source: str
    evidence_type: str | None
    holder: str | None
    categories: list[str]


class RecipientRead(BaseModel):
    agency: str
    why: Literal["step", "evidence"]


class RetentionRead(BaseModel):
    """The archive's schedule says how long, at `rule`; a draft nobody submits goes after
    `draft_days`.
    """

    archive_code: str | None
    rule: str | None
    draft_days: int = DRAFT_DAYS


class ActivityRead(BaseModel):
    """`lacking` names what the standard leaves open; `provenance` how sure the standard is."""

    service: str
    name: str
    version: int
    controller: str
    controller_name: str
    contact: str | None
    purposes: list[PurposeRead]
    subjects: list[str]
    data: list[DataRead]
    recipients: list[RecipientRead]
    retention: RetentionRead
    lacking: list[str]
    provenance: ProvenanceRead

    @classmethod
    def of(cls, recorded: Recorded, agencies: Mapping[str, str]) -> Self:
        """`agencies` are names by slug."""
        (service, version), activity = recorded.row, recorded.activity
        plain = asdict(activity)
        code = plain.pop("archive_code")
        rule = RULES + code if code else None
        return cls(
            service=service.slug,
            name=version.name_id,
            version=version.version,
            controller=service.agency,
            controller_name=agencies.get(service.agency, service.agency),
            contact=version.standard.get("contact"),
            retention=RetentionRead(archive_code=code, rule=rule),
            provenance=ProvenanceRead.of(version),
            **plain,
        )


class DisclosureRead(BaseModel):
    """An agreement in force, by which `provider` gives `consumer` data for coded purposes."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    consumer: str
    provider: str
    owner: str
    interface: str
    purposes: list[str]
    data_categories: list[str]
    valid_from: datetime
    valid_until: datetime

    @classmethod
    def of(cls, row: KnownAgreement) -> Self:
        return cls.model_validate(row)
