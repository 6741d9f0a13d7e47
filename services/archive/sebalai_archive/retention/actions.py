"""Decisions about retention: which rule governs a code, and the dates it gives."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sebalai_shared.caller import Caller
from sebalai_shared.problems import NotFound
from sebalai_shared.reference import ReferenceFolder
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.codes import path_of
from sebalai_archive.reader import CLASSES, SecurityClass
from sebalai_archive.retention import store
from sebalai_archive.retention.model import RetentionRule
from sebalai_archive.retention.schedule import DueDates, Rule, Stage, civil_date, due_dates, stage

__all__ = ["DueDates", "Rule", "Stage", "civil_date", "due_dates", "stage"]

TABLE = "retention_schedule"
EXCEPTIONS = "retention_exceptions"


class RetentionRuleUnknown(NotFound):
    slug, title = "retention-rule-unknown", "No rule of the schedule governs this code"


@dataclass(frozen=True, slots=True)
class Computed:
    """The rule as it stood, and the dates by it; `rule_code` may lie above the record's code."""

    rule_code: str | None
    rule: Rule | None
    dates: DueDates


async def list_rules(
    session: AsyncSession, *, caller: Caller, after: str | None, limit: int
) -> Sequence[RetentionRule]:
    return await store.page(session, caller, after, limit)


async def find_rule(session: AsyncSession, *, caller: Caller, code: str) -> RetentionRule:
    """The governing rule: the longest prefix of the code that the schedule knows."""
    found = await store.nearest(session, caller, code)
    if found is None:
        raise RetentionRuleUnknown("The schedule has no rule for this code nor above it.")
    return found


async def proposed_class(
    session: AsyncSession, *, caller: Caller, code: str
) -> SecurityClass | None:
    """The class the schedule proposes for this code, None when no rule governs it."""
    found = await store.nearest(session, caller, code)
    return next((one for one in CLASSES if found and one == found.security_class), None)


async def compute_retention(
    session: AsyncSession, *, caller: Caller, code: str, trigger: date | None
) -> Computed:
    found = await store.nearest(session, caller, code)
    if found is None:
        return Computed(None, None, due_dates(trigger, None))
    rule = Rule(found.active_years, found.inactive_years, found.final_disposition)
    return Computed(found.classification_code, rule, due_dates(trigger, rule))


async def load_rules(session: AsyncSession, *, folder: ReferenceFolder) -> int:
    """Raises `ValueError` when an exception names a code without a rule."""
    rows = folder.rows(TABLE)
    exceptions = {row["classification_code"]: row["exception"] for row in folder.rows(EXCEPTIONS)}
    strays = sorted(exceptions.keys() - {row["classification_code"] for row in rows})
    if strays:
        raise ValueError(f"{EXCEPTIONS}: no rule for {', '.join(strays)}")
    await store.keep(session, [_values(row, exceptions, folder) for row in rows])
    return len(rows)


def _values(
    row: dict[str, str], exceptions: dict[str, str], folder: ReferenceFolder
) -> dict[str, object]:
    code = row["classification_code"]
    mark = folder.provenance(TABLE, code)
    return {
        "classification_code": code,
        "path": path_of(code),
        "series": row["series"],
        "active_years": int(row["active_years"]),
        "inactive_years": int(row["inactive_years"]),
        "final_disposition": row["final_disposition"],
        "security_class": row["security_class"],
        "exception": exceptions.get(code),
        "provenance_status": mark.status,
        "provenance_source": mark.source,
    }
