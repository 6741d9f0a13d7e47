"""From rows of the database to the cells of a list."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from sebalai_archive.lists.kinds import Kind
from sebalai_archive.retention.actions import civil_date

Cell = str | int | date | None
APPROVERS = {
    "anri_head": "Kepala ANRI",
    "governor": "Gubernur",
    "archive_head": "Kepala Lembaga Kearsipan",
}


def cells_of(kind: Kind) -> Callable[[Any], Mapping[str, Cell]]:
    return _file_unit if kind == "file-units" else _record


def _record(row: Any) -> Mapping[str, Cell]:
    return {
        "file_number": row.file_number,
        "number": row.number,
        "classification": row.classification_code,
        "title": row.title,
        "description": row.description,
        "dated": row.dated,
        "development_level": row.development_level,
        "amount": 1,
        "medium": row.medium,
        "condition": row.condition,
        "unit": row.unit,
        "location": row.location,
        "security_class": row.security_class,
        "protection": row.protection,
        "active_until": row.active_until,
        "inactive_until": row.inactive_until,
        "kept_years": _kept(row.active_years, row.inactive_years),
        "fate": row.final_disposition,
        "exception": row.exception,
        "id": str(row.id),
        "approver": APPROVERS.get(row.approver),
        "proposed_at": _day(row.proposed_at),
    }


def _file_unit(row: Any) -> Mapping[str, Cell]:
    unit = row[0]
    return {
        "number": unit.number,
        "classification": unit.classification_code,
        "title": unit.title,
        "period": " - ".join(str(one) for one in (row.first, row.last) if one),
        "amount": row.amount,
        "unit": unit.unit,
        "security_class": unit.security_class,
        "opened_at": _day(unit.opened_at),
        "closed_at": _day(unit.closed_at),
        "id": str(unit.id),
    }


def _kept(active: int | None, inactive: int | None) -> str | None:
    return None if active is None else f"{active} aktif, {inactive} inaktif"


def _day(at: datetime | None) -> date | None:
    return civil_date(at) if at else None
