"""The deadline job: late promises told once, due dates redone after the calendar changed, drafts
and returned files that nobody answered reminded and let go.

Everything goes in batches with one statement each, because a hundred thousand files may be open.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
from sebalai_shared.clock import Clock
from sebalai_shared.events import Event
from sebalai_shared.outbox import publish
from sqlalchemy import ColumnElement, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.calendar.actions import Calendars, calendars
from sebalai_services_catalog.requests.cases import promise_of
from sebalai_services_catalog.requests.events import (
    BREACHED,
    REMINDED,
    DeadlineBreached,
    RequestReminded,
    fact,
)
from sebalai_services_catalog.requests.filing import erase
from sebalai_services_catalog.requests.model import ServiceRequest
from sebalai_services_catalog.requests.steps import Step, take_platform_step

BATCH_ROWS = 2_000
REDO_ROWS = 10_000
LAPSE_ROWS = 200
LAPSED = {
    "draft": "Tidak diajukan sampai batas waktu",
    "returned": "Tidak dijawab sampai batas waktu",
    "awaiting_payment": "Tidak dibayar sampai batas waktu",
}
REMIND_BEFORE = (timedelta(days=10), timedelta(days=2))
"""Two reminders while the applicant holds the file, so long before the last moment."""

_TELL = text(
    "INSERT INTO outbox (id, type, document) "
    "SELECT id, type, document FROM jsonb_to_recordset(CAST(:facts AS jsonb)) "
    "AS fact(id uuid, type text, document jsonb)"
)
_MOVE = text(
    """
    WITH given AS (
      SELECT id, due FROM unnest(CAST(:ids AS uuid[]), CAST(:dues AS timestamptz[])) AS g(id, due)
    ), recorded AS (
      INSERT INTO request_due_change
      SELECT r.id, :revision, r.due_at, given.due, :now
      FROM service_request AS r JOIN given ON given.id = r.id
      WHERE r.due_at IS DISTINCT FROM given.due
    )
    UPDATE service_request AS r SET due_at = given.due, calendar_revision = :revision,
      revision = r.revision + (r.due_at IS DISTINCT FROM given.due)::integer
    FROM given WHERE given.id = r.id
    """
)


async def tell_breaches(session: AsyncSession, clock: Clock) -> int:
    """Marks promises that were not kept, with one fact each; at most BATCH_ROWS a call.

    Breach is a fact, not a state: the file goes on, and the head of the unit is told.
    """
    now = clock.now()
    late = (
        select(ServiceRequest.id)
        .where(
            ServiceRequest.breached_at.is_(None),
            ServiceRequest.clock_mode == "running",
            ServiceRequest.due_at <= now,
        )
        .order_by(ServiceRequest.due_at)
        .limit(BATCH_ROWS)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    columns = ("id", "service_id", "service", "agency", "state", "due_at", "on_breach")
    rows = await session.execute(
        update(ServiceRequest)
        .where(ServiceRequest.id.in_(late))
        .values(breached_at=now)
        .returning(*(getattr(ServiceRequest, name) for name in columns))
        .execution_options(synchronize_session=False)
    )
    facts = [fact(BREACHED, _breach(row), now) for row in rows]
    await _tell(session, facts)
    return len(facts)


def _breach(row: Any) -> DeadlineBreached:
    return DeadlineBreached(
        request_id=row.id,
        service_id=row.service_id,
        service=row.service,
        agency=row.agency,
        state=row.state,
        due_at=row.due_at,
        deemed_granted=row.on_breach == "deemed_granted",
    )


async def _tell(session: AsyncSession, facts: Sequence[Event]) -> None:
    if facts:
        rows = [{"id": one.id, "type": one.type, "document": one.document()} for one in facts]
        await session.execute(_TELL, {"facts": orjson.dumps(rows).decode()})


async def redo_due_dates(session: AsyncSession, clock: Clock) -> int:
    """Due dates of open promises computed at an earlier calendar, redone; each move is recorded.

    At most REDO_ROWS a call; answers how many were looked at.
    """
    known = await calendars(session)
    columns = (
        "id", "agency", "term_value", "term_unit", "clock_mode", "running_since", "ran"
    )  # fmt: skip
    found = await session.execute(
        select(*(getattr(ServiceRequest, name) for name in columns))
        .where(
            ServiceRequest.clock_mode.in_(("running", "paused")),
            ServiceRequest.calendar_revision < known.revision,
        )
        .limit(REDO_ROWS)
        .with_for_update(skip_locked=True)
    )
    rows = found.all()
    if rows:
        dues = _due_dates(rows, known)
        ids = [row.id for row in rows]
        values = {"ids": ids, "dues": dues, "revision": known.revision, "now": clock.now()}
        await session.execute(_MOVE, values)
    return len(rows)


def _due_dates(rows: Sequence[Any], known: Calendars) -> list[datetime | None]:
    """One computation for all requests of an agency that ran on the same days."""
    computed: dict[tuple[object, ...], datetime | None] = {}
    dates = list[datetime | None]()
    for row in rows:
        promise = promise_of(row)
        key = (row.agency, promise.value, promise.unit, promise.moments())
        if key not in computed:
            computed[key] = promise.due_at(known.of(row.agency))
        dates.append(computed[key])
    return dates


async def remind_and_lapse(session: AsyncSession, clock: Clock) -> int:
    """Applicants who hold a file are reminded twice; after the last moment the file lapses."""
    now = clock.now()
    rows = await session.scalars(
        select(ServiceRequest)
        .where(ServiceRequest.state.in_(LAPSED), _has_its_turn(now))
        .order_by(ServiceRequest.reply_by)
        .limit(LAPSE_ROWS)
        .with_for_update(skip_locked=True)
    )
    done = 0
    for row in rows.all():
        done += await _remind_or_lapse(session, clock, row)
    return done


def _has_its_turn(now: datetime) -> ColumnElement[bool]:
    """Past the last moment, or due for a reminder it has not had: nobody else takes a place in
    the batch.
    """
    due = [
        (ServiceRequest.reply_by <= now + before) & (ServiceRequest.reminders < number)
        for number, before in enumerate(REMIND_BEFORE, 1)
    ]
    return or_(ServiceRequest.reply_by <= now, *due)


async def _remind_or_lapse(session: AsyncSession, clock: Clock, row: ServiceRequest) -> int:
    assert row.reply_by is not None  # noqa: S101 - selected by it
    now = clock.now()
    if row.reply_by <= now:
        columns = {"reply_by": None, "marks": []}
        lapse = Step("lapse", LAPSED[row.state], columns=columns)
        if row.state == "draft":
            await erase(session, row)
        await take_platform_step(session, clock, row=row, wanted=lapse)
        return 1
    wanted = sum(row.reply_by - now <= before for before in REMIND_BEFORE)
    if wanted <= row.reminders:
        return 0
    row.reminders = wanted
    reminded = RequestReminded(
        request_id=row.id, service=row.service, agency=row.agency, state=row.state,
        reply_by=row.reply_by,
    )  # fmt: skip
    await publish(session, fact(REMINDED, reminded, now))
    return 1
