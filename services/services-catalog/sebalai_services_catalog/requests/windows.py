"""Terms within which somebody must act on a request: reply, pay, give evidence, appeal, decide an
appeal.

A state has one at most. The row keeps the day it began and its working days, so that a changed
calendar gives a new last moment. Who was told a day keeps it: the applicant's terms only grow.
"""

from datetime import datetime
from typing import Any

from sebalai_shared.clock import Clock
from sebalai_shared.outbox import publish
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.calendar.actions import Calendars, calendars, civil_date, end_of
from sebalai_services_catalog.payments.actions import extend_bill
from sebalai_services_catalog.requests.events import RESCHEDULED, RequestRescheduled, fact
from sebalai_services_catalog.requests.machine import State
from sebalai_services_catalog.requests.model import ServiceRequest

WINDOWS: dict[State, str] = {
    "returned": "reply_by",
    "awaiting_payment": "reply_by",
    "awaiting_evidence": "evidence_by",
    "refused": "appeal_until",
    "appeal": "appeal_due_at",
}
OF_AGENCIES = ("evidence_by", "appeal_due_at")
REDO_ROWS = 500


def opened(known: Calendars, agency: str, column: str, at: datetime, days: int) -> dict[str, Any]:
    """Columns of a term of `days` working days that begins now, its last moment in `column`."""
    start = civil_date(at)
    return {
        column: end_of(known.of(agency).add(start, days)),
        "window_from": start,
        "window_days": days,
        "window_revision": known.revision,
    }


async def redo_windows(session: AsyncSession, clock: Clock) -> int:
    """Running terms computed at an earlier calendar, anew; each that moves is one fact.

    At most REDO_ROWS a call; answers how many were looked at.
    """
    known = await calendars(session)
    rows = await session.scalars(
        select(ServiceRequest)
        .where(
            ServiceRequest.window_days.is_not(None),
            ServiceRequest.window_revision < known.revision,
        )
        .limit(REDO_ROWS)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    done = 0
    for row in rows:
        await _redo(session, row, known, clock.now())
        done += 1
    return done


async def _redo(
    session: AsyncSession, row: ServiceRequest, known: Calendars, now: datetime
) -> None:
    row.window_revision = known.revision
    column = WINDOWS.get(row.state)
    before: datetime | None = getattr(row, column) if column else None
    if column is None or before is None or before <= now:
        return
    assert row.window_from is not None and row.window_days is not None  # noqa: S101, PT018 - selected by it
    agency = row.asked["holder"] if row.asked is not None else row.agency
    found = end_of(known.of(agency).add(row.window_from, row.window_days))
    until = found if column in OF_AGENCIES else max(before, found)
    if until == before:
        return
    setattr(row, column, until)
    row.revision += 1
    if row.state == "awaiting_payment":
        await extend_bill(session, row.id, until)
    await session.flush()
    moved = RequestRescheduled(
        request_id=row.id, service=row.service, agency=row.agency, state=row.state, term=column,
        before=before, after=until,
    )  # fmt: skip
    await publish(session, fact(RESCHEDULED, moved, now))
