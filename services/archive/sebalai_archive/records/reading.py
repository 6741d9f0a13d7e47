"""A record as it looks on the wire."""

import base64
from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sebalai_archive.records.model import Record, RecordRetention
from sebalai_archive.records.schema import ContentRead, DeclarationRead, RecordRead, RetentionRead
from sebalai_archive.retention.actions import DueDates, stage


def record_read(
    record: Record, public_url: str, today: date, same_as: Sequence[UUID] = ()
) -> RecordRead:
    receipt = f"{public_url}/receipts/{record.event_id}" if record.event_id else None
    return RecordRead(
        id=record.id,
        agency=record.agency,
        application=record.application,
        title=record.title,
        description=record.description,
        classification=record.classification_code,
        file_unit=record.file_unit_id,
        security_class=record.security_class,
        unit=record.unit,
        number=record.number,
        dated=record.dated,
        development_level=record.development_level,
        medium=record.medium,
        language=record.language,
        condition=record.condition,
        protection=record.protection,
        location=record.location,
        state=record.state,
        created_at=record.created_at,
        content=_content(record, same_as),
        retention=_retention(record.retention, today) if record.retention else None,
        declaration=_declaration(record),
        receipt=receipt,
    )


def _content(record: Record, same_as: Sequence[UUID]) -> ContentRead | None:
    if record.content_sha256 is None:
        return None
    return ContentRead.model_validate(
        {
            "sha256": record.content_sha256,
            "bytes": record.content_bytes,
            "type": record.content_type,
            "stored_at": record.content_at,
            "filename": record.filename,
            "same_as": list(same_as),
        }
    )


def _retention(kept: RecordRetention, today: date) -> RetentionRead:
    dates = DueDates(kept.active_until, kept.inactive_until)
    return RetentionRead(
        clock="running" if dates.is_running else "not running",
        stage=stage(dates, today),
        rule=kept.rule_code,
        rule_version=kept.rule_version,
        offset_months=kept.offset_months,
        exception=kept.exception,
        active_years=kept.active_years,
        inactive_years=kept.inactive_years,
        final_disposition=kept.final_disposition,
        trigger=kept.trigger_kind,
        trigger_date=kept.trigger_date,
        active_until=kept.active_until,
        inactive_until=kept.inactive_until,
    )


def _declaration(record: Record) -> DeclarationRead | None:
    if record.declared_at is None:
        return None
    salt = base64.urlsafe_b64encode(record.salt).decode().rstrip("=") if record.salt else None
    return DeclarationRead.model_validate(
        {
            "event_id": record.event_id,
            "declared_at": record.declared_at,
            "statement": record.statement,
            "salt": salt,
            "commitment": record.commitment,
        }
    )
