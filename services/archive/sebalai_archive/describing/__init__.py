"""A record described in the standards of others: what a description holds, and where it comes from.

Each standard is one module. None of them decides who may see a description.
"""

from dataclasses import dataclass
from datetime import date, datetime

from sebalai_archive.records.model import Record

CREATOR_PREFIX = "urn:sebalai:agency:"


@dataclass(frozen=True, slots=True)
class Description:
    """`identifier` never changes; `address` is where it can be read today."""

    identifier: str
    address: str
    agency: str
    title: str
    description: str | None
    classification: str
    number: str | None
    dated: date | None
    language: str
    medium: str
    development_level: str
    security_class: str
    media_type: str | None
    declared_at: datetime | None

    @property
    def rights(self) -> str:
        return f"SKKAAD: {self.security_class}"


def identifier_of(record: Record) -> str:
    """RFC 9562 URN: it outlives host names."""
    return f"urn:uuid:{record.id}"


def description_of(record: Record, public_url: str) -> Description:
    return Description(
        identifier=identifier_of(record),
        address=f"{public_url}/api/archive/v1/records/{record.id}",
        agency=record.agency,
        title=record.title,
        description=record.description,
        classification=record.classification_code,
        number=record.number,
        dated=record.dated,
        language=record.language,
        medium=record.medium,
        development_level=record.development_level,
        security_class=record.security_class,
        media_type=record.content_type,
        declared_at=record.declared_at,
    )
