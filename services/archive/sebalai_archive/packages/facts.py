"""What a package says of a record in our own words (`record.json`), so that an import loses none.

Retention has no place in CSIP ("a local matter"), so it stands here.
"""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from sebalai_archive.codes import Code
from sebalai_archive.reader import SecurityClass
from sebalai_archive.records.actions import Record, RecordCreate, keeping
from sebalai_archive.texts import Line, LongLine, Slug

FORMAT = "sebalai-package/1"
CREATED = tuple(
    name for name in RecordCreate.model_fields if name not in {"classification", "file_unit"}
)


class FileUnitFacts(BaseModel):
    model_config = ConfigDict(extra="forbid")

    number: Line
    title: LongLine
    classification: Code
    security_class: SecurityClass
    unit: Slug | None


class ContentFacts(BaseModel):
    model_config = ConfigDict(extra="forbid")

    path: Annotated[str, Field(min_length=1, max_length=1_000)]
    type: Annotated[str, Field(pattern=r"^[\x20-\x7e]{3,200}$")]
    bytes: Annotated[int, Field(ge=0, lt=2**63)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class ProofFacts(BaseModel):
    """SHA-256 over the salt and the statement is the commitment in the ledger under `event_id`."""

    model_config = ConfigDict(extra="forbid")

    event_id: UUID
    declared_at: AwareDatetime
    statement: str
    salt: str
    commitment: str


class RetentionFacts(BaseModel):
    model_config = ConfigDict(extra="forbid", from_attributes=True)

    rule_code: str | None
    rule_version: int | None
    active_years: int | None
    inactive_years: int | None
    final_disposition: str | None
    trigger_kind: str
    trigger_date: date | None
    active_until: date | None
    inactive_until: date | None


class RecordFacts(BaseModel):
    """`record` is what a draft is made of; `source` the record's identifier where it comes from."""

    model_config = ConfigDict(extra="forbid")

    format: Literal["sebalai-package/1"] = FORMAT
    source: UUID
    agency: str
    record: RecordCreate
    file_unit: FileUnitFacts | None
    content: ContentFacts
    retention: RetentionFacts | None
    proof: ProofFacts | None


def facts_of(record: Record, file_unit: keeping.FileUnit | None, path: str) -> RecordFacts:
    kept = record.retention
    return RecordFacts(
        source=record.id,
        agency=record.agency,
        record=RecordCreate.model_validate(
            {name: getattr(record, name) for name in CREATED}
            | {"classification": record.classification_code}
        ),
        file_unit=_file_unit(file_unit) if file_unit else None,
        content=ContentFacts(
            path=path,
            type=record.content_type or "application/octet-stream",
            bytes=record.content_bytes or 0,
            sha256=record.content_sha256 or "",
        ),
        retention=RetentionFacts.model_validate(kept) if kept else None,
        proof=_proof(record),
    )


def _file_unit(of: keeping.FileUnit) -> FileUnitFacts:
    return FileUnitFacts(
        number=of.number,
        title=of.title,
        classification=of.classification_code,
        security_class=of.security_class,
        unit=of.unit,
    )


def _proof(record: Record) -> ProofFacts | None:
    told: dict[str, Any] = {
        "event_id": record.event_id,
        "declared_at": record.declared_at,
        "statement": record.statement,
        "salt": record.salt.hex() if record.salt else None,
        "commitment": record.commitment,
    }
    return ProofFacts.model_validate(told) if all(told.values()) else None


def created_at(record: Record) -> datetime:
    return record.content_at or record.created_at
