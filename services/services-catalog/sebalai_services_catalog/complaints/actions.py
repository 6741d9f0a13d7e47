"""Decisions about complaints: file, verify, forward, answer, answer back, close."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.ids import uuid7
from sebalai_shared.outbox import publish
from sebalai_shared.problems import Conflict, Forbidden, NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.calendar.actions import Calendars, calendars, civil_date
from sebalai_services_catalog.complaints import events, schema, store
from sebalai_services_catalog.complaints.access import hashed, may_read, may_take
from sebalai_services_catalog.complaints.machine import (
    Act,
    Limits,
    Moments,
    NoSuchStep,
    Role,
    after,
    category_of,
    deadline,
    possible,
)
from sebalai_services_catalog.complaints.model import Complaint, ComplaintAct
from sebalai_services_catalog.reference.actions import complaint_limits
from sebalai_services_catalog.requests.actions import find_request, new_ticket, read_ticket
from sebalai_services_catalog.services.actions import find_service

REPLY_CODE_BYTES = 9
BATCH_ROWS = 500


class ComplaintUnknown(NotFound):
    slug, title = "complaint-unknown", "There is no such complaint, or it is not yours to see"


class ComplaintMovedOn(Conflict):
    slug, title = "complaint-moved-on", "Somebody else moved the complaint meanwhile"


class ComplaintStepImpossible(Conflict):
    slug, title = "complaint-step-impossible", "The complaint's state does not allow this"


class ComplaintStepRefused(Forbidden):
    slug, title = "complaint-step-refused", "This caller may not take this step"


async def file_complaint(
    session: AsyncSession, clock: Clock, *, caller: Caller, wanted: schema.ComplaintCreate
) -> tuple[Complaint, str]:
    """The complaint and its reply code, which is kept only as a digest.

    Raises: ServiceUnknown, RequestUnknown.
    """
    now, code = clock.now(), secrets.token_urlsafe(REPLY_CODE_BYTES)
    row = Complaint(
        id=uuid7(), ticket=new_ticket(civil_date(now).year), kind=wanted.kind,
        anonymous=wanted.anonymous, secret=wanted.secret,
        reporter=None if wanted.anonymous else caller.party,
        reporter_name=None if wanted.anonymous else wanted.reporter_name,
        reply_code_sha256=hashed(code), title=wanted.title, body=wanted.body,
        category=category_of(wanted.kind, needs_examination=False), state="received", revision=1,
        received_at=now, last_at=now,
    )  # fmt: skip
    await _join(session, row, caller, wanted)
    await _set_deadline(session, row)
    session.add(row)
    await session.flush()
    await publish(session, events.fact(events.RECEIVED, _moved(row, None), now))
    return row, code


async def _join(
    session: AsyncSession, row: Complaint, caller: Caller, wanted: schema.ComplaintCreate
) -> None:
    """What it is about: the button on a request carries the request's service and agency along.

    An anonymous complaint keeps no request, because a request names its applicant.
    """
    slug = wanted.service
    if wanted.request is not None:
        request, _ = await find_request(session, caller=caller, key=wanted.request)
        slug = request.service
        row.request_id = None if wanted.anonymous else request.id
    if slug is not None:
        service, _ = await find_service(session, caller=caller, slug=slug)
        row.service, row.service_id, row.agency = slug, service.id, service.agency


async def list_complaints(
    session: AsyncSession, *, caller: Caller, state: str | None, after: UUID | None, limit: int
) -> Sequence[Complaint]:
    return await store.page(session, caller, state, after, limit)


async def find_complaint(
    session: AsyncSession, *, caller: Caller, key: UUID, code: str | None
) -> Complaint:
    """Raises: ComplaintUnknown."""
    row = await store.find(session, key)
    if row is None or not may_read(caller, row, code):
        raise ComplaintUnknown("Look at GET /v1/complaints.")
    return row


async def find_by_ticket(session: AsyncSession, *, ticket: str) -> Complaint:
    """Raises: ComplaintUnknown."""
    number = read_ticket(ticket)
    row = await store.by_ticket(session, number) if number else None
    if row is None:
        raise ComplaintUnknown("Check the number.")
    return row


async def list_acts(
    session: AsyncSession, *, caller: Caller, key: UUID, code: str | None
) -> Sequence[ComplaintAct]:
    """What was done and said, the earliest first. Raises: ComplaintUnknown."""
    row = await find_complaint(session, caller=caller, key=key, code=code)
    return await store.acts(session, row.id)


async def count_by_service(
    session: AsyncSession, *, period: tuple[datetime, datetime]
) -> dict[str, int]:
    """Complaints received in the period, by service."""
    return await store.count_by_service(session, *period)


async def count_by_agency(
    session: AsyncSession, *, period: tuple[datetime, datetime]
) -> dict[tuple[str, str], int]:
    """Complaints received in the period, by agency and category."""
    return await store.count_by_agency(session, *period)


async def count_handled(
    session: AsyncSession, *, period: tuple[datetime, datetime]
) -> store.Handled:
    """Complaints received in the period, and how many were answered in time."""
    return await store.count_handled(session, *period)


async def act_on(
    session: AsyncSession, clock: Clock, *, caller: Caller, key: UUID, wanted: schema.ActWrite
) -> Complaint:
    """Raises: ComplaintUnknown, ComplaintMovedOn, ComplaintStepImpossible, ComplaintStepRefused."""
    code = wanted.code if isinstance(wanted, schema.Reporting) else None
    row = await store.hold(session, key)
    if row is None or not may_read(caller, row, code):
        raise ComplaintUnknown("Look at GET /v1/complaints.")
    if row.revision != wanted.revision:
        raise ComplaintMovedOn(
            f"It is {row.state} now. Read it again.", by=row.last_actor,
            at=row.last_at.isoformat(), state=row.state, revision=row.revision,
        )  # fmt: skip
    role = _role(row, wanted.act)
    if not may_take(caller, row, role, code):
        raise ComplaintStepRefused(f"{wanted.act} is for the {role}.")
    await _step(session, clock, row, wanted.act, (role, _actor(row, caller, role)), _said(wanted))
    return row


def _said(wanted: schema.ActWrite) -> dict[str, Any]:
    """What the act says beside itself: agency, text, kind of examination."""
    given = wanted.model_dump(exclude={"act", "revision", "code"}, exclude_none=True)
    return {"text": None, **given}


def _actor(row: Complaint, caller: Caller, role: Role) -> str:
    """An anonymous reporter stays so, even when an application sends the reply."""
    return "reporter" if role == "reporter" and row.anonymous else str(caller.subject)


async def _step(
    session: AsyncSession,
    clock: Clock,
    row: Complaint,
    act: Act,
    who: tuple[Role, str],
    said: dict[str, Any],
) -> None:
    before, now = row.state, clock.now()
    row.state, _ = after(row.state, act)
    row.revision += 1
    row.last_actor, row.last_at = who[1], now
    _write(row, act, said, clock)
    await _set_deadline(session, row)
    session.add(
        ComplaintAct(
            id=uuid7(), complaint_id=row.id, act=act, role=who[0], state_before=before,
            state_after=row.state, agency=row.agency, actor=who[1], at=now, text=said["text"],
        )
    )  # fmt: skip
    await session.flush()
    kind = f"catalog.complaint.{events.PAST[act]}.v1"
    await publish(session, events.fact(kind, _moved(row, before), now))


def _write(row: Complaint, act: Act, said: dict[str, Any], clock: Clock) -> None:
    if act in ("forward", "reassign"):
        row.agency, row.forwarded_at = said["agency"], clock.now()
    if act == "forward":
        row.category = category_of(row.kind, needs_examination=said["needs_examination"])
    if act == "answer":
        row.answer, row.answered_at = said["text"], clock.now()
    if act in ("archive", "reassign"):
        row.reason = said["text"]
    if row.state in ("closed", "archived"):
        row.closed_at = clock.now()


def _role(row: Complaint, act: Act) -> Role:
    try:
        return after(row.state, act)[1]
    except NoSuchStep as error:
        raise ComplaintStepImpossible(f"{error}.", possible=possible(row.state)) from error


async def _set_deadline(session: AsyncSession, row: Complaint) -> None:
    known, limits = await calendars(session), await complaint_limits(session)
    row.deadline_at, row.calendar_revision = _deadline(row, known, limits), known.revision


def _deadline(row: Complaint, known: Calendars, limits: Limits) -> datetime | None:
    moments = Moments(row.received_at, row.forwarded_at, row.answered_at)
    calendar = known.of(row.agency or "")
    return deadline(row.state, row.category, moments, limits, calendar)


async def redo_deadlines(session: AsyncSession, clock: Clock) -> int:
    """Limits that an earlier calendar gave, anew; each that moves is one fact.

    A limit that has passed stays passed, and the reporter's days to answer back only grow.
    Answers how many were looked at, at most BATCH_ROWS.
    """
    now, known, limits = clock.now(), await calendars(session), await complaint_limits(session)
    rows = await store.before_revision(session, known.revision, BATCH_ROWS)
    for row in rows:
        row.calendar_revision = known.revision
        before, found = row.deadline_at, _deadline(row, known, limits)
        if before is None or found is None or before <= now:
            continue
        row.deadline_at = max(before, found) if row.state == "answered" else found
        if row.deadline_at != before:
            row.revision += 1
            await publish(session, events.fact(events.RESCHEDULED, _moved(row, row.state), now))
    await session.flush()
    return len(rows)


async def keep_deadlines(session: AsyncSession, clock: Clock) -> int:
    """Missed limits are told once a stage; answers that nobody answered back close the complaint.

    Answers how many complaints were touched, at most BATCH_ROWS.
    """
    rows = await store.past_deadline(session, clock.now(), BATCH_ROWS)
    for row in rows:
        if row.state == "answered":
            await _step(session, clock, row, "expire", ("platform", "platform"), {"text": None})
            continue
        row.breached_stage = row.state
        await publish(session, events.fact(events.BREACHED, _moved(row, row.state), clock.now()))
    return len(rows)


def _moved(row: Complaint, before: str | None) -> events.ComplaintMoved:
    return events.ComplaintMoved(
        complaint_id=row.id,
        kind=row.kind,
        category=row.category,
        service=row.service,
        agency=row.agency,
        state_before=before,
        state_after=row.state,
        deadline_at=row.deadline_at,
    )
