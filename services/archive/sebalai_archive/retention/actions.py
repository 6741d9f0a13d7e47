"""Decisions about retention: which rule governs a code, and the dates it gives."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.problems import FieldInvalid, Forbidden, NotFound
from sebalai_shared.reference import ReferenceFolder
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.codes import path_of
from sebalai_archive.reader import CLASSES, SecurityClass
from sebalai_archive.retention import store
from sebalai_archive.retention.model import RetentionRule
from sebalai_archive.retention.schedule import (
    Act,
    Approver,
    DueDates,
    Fate,
    Outcome,
    Rule,
    SoFar,
    Stage,
    TriggerKind,
    civil_date,
    due_dates,
    outcome,
    stage,
)
from sebalai_archive.retention.schema import RetentionRuleAdd

__all__ = [
    "Act",
    "Approver",
    "DueDates",
    "Fate",
    "Outcome",
    "Rule",
    "SoFar",
    "Stage",
    "TriggerKind",
    "civil_date",
    "due_dates",
    "outcome",
    "stage",
]

TABLE = "retention_schedule"
EXCEPTIONS = "retention_exceptions"


class RetentionRuleUnknown(NotFound):
    slug, title = "retention-rule-unknown", "No rule of the schedule governs this code"


class ScheduleClosed(Forbidden):
    slug, title = "schedule-closed", "This application may not change the schedule"


@dataclass(frozen=True, slots=True)
class Computed:
    """The rule as it stood, and the dates by it; `rule_code` may lie above the record's code."""

    rule_code: str | None
    rule_version: int | None
    rule: Rule | None
    dates: DueDates


async def list_rules(
    session: AsyncSession, *, caller: Caller, today: date, after: str | None, limit: int
) -> Sequence[RetentionRule]:
    return await store.page(session, caller, today, after, limit)


async def list_versions(
    session: AsyncSession, *, caller: Caller, code: str
) -> Sequence[RetentionRule]:
    return await store.versions(session, caller, code)


async def add_version(
    session: AsyncSession, clock: Clock, *, caller: Caller, code: str, wanted: RetentionRuleAdd
) -> RetentionRule:
    """Records take it over by `rule_changed` events once its day has come, never silently.

    Raises `ScheduleClosed`, `FieldInvalid`.
    """
    if not caller.is_operator:
        raise ScheduleClosed("Ask the operator; the schedule is the province's.")
    now = clock.now()
    if wanted.valid_from < civil_date(now):
        raise FieldInvalid("/valid_from", "A rule holds from today or later.")
    before = await store.versions(session, caller, code)
    if before and before[-1].valid_from > wanted.valid_from:
        raise FieldInvalid("/valid_from", "A later version is already announced.")
    values = wanted.model_dump(exclude={"trigger"})
    made = RetentionRule(
        classification_code=code,
        path=path_of(code),
        version=before[-1].version + 1 if before else 1,
        trigger_kind=wanted.trigger,
        provenance_status="verified",
        provenance_source=wanted.legal_basis,
        applied_at=None,
        **values,
    )
    session.add(made)
    await session.flush()
    return made


async def unapplied_rules(session: AsyncSession, *, today: date) -> Sequence[RetentionRule]:
    return await store.unapplied(session, today)


async def find_rule(
    session: AsyncSession, *, caller: Caller, code: str, today: date
) -> RetentionRule:
    """The governing rule: the longest prefix of the code that the schedule knows."""
    found = await store.nearest(session, caller, code, today)
    if found is None:
        raise RetentionRuleUnknown("The schedule has no rule for this code nor above it.")
    return found


async def proposed_class(
    session: AsyncSession, *, caller: Caller, code: str, today: date
) -> SecurityClass | None:
    """The class the schedule proposes for this code, None when no rule governs it."""
    found = await store.nearest(session, caller, code, today)
    return next((one for one in CLASSES if found and one == found.security_class), None)


async def compute_retention(
    session: AsyncSession, *, caller: Caller, code: str, trigger: date | None, today: date
) -> Computed:
    found = await store.nearest(session, caller, code, today)
    if found is None:
        return Computed(None, None, None, due_dates(trigger, None))
    rule = Rule(
        found.active_years,
        found.inactive_years,
        found.final_disposition,
        found.offset_months,
        found.exception,
    )
    return Computed(found.classification_code, found.version, rule, due_dates(trigger, rule))


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
        "version": 1,
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
