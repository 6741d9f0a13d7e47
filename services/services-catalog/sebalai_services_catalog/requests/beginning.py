"""Beginning: a draft, or at once a filed request, written as it will stand.

Most requests are filed in one call, so what is written goes to the driver in one statement.
"""

from datetime import datetime, timedelta

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.ids import uuid7
from sebalai_shared.outbox import publish
from sebalai_shared.problems import Conflict, Forbidden
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.calendar.actions import calendars, civil_date
from sebalai_services_catalog.inserts import insert
from sebalai_services_catalog.requests.access import WRITE, is_officer_of
from sebalai_services_catalog.requests.filing import answered, check_complete, submission
from sebalai_services_catalog.requests.model import RequestTask, ServiceRequest
from sebalai_services_catalog.requests.schema import RequestCreate
from sebalai_services_catalog.requests.steps import Hand, applied, check_step, told
from sebalai_services_catalog.requests.tasks import first_task
from sebalai_services_catalog.requests.tickets import new_ticket
from sebalai_services_catalog.services.actions import Offered, offered_service

DRAFT_KEPT = timedelta(days=30)


class ServiceNotOffered(Conflict):
    slug, title = "service-not-offered", "The service takes no requests at present"


class MandateTooNarrow(Forbidden):
    slug, title = "mandate-too-narrow", "The representation does not cover this service"


class AssistanceRefused(Forbidden):
    slug, title = "assistance-refused", "Only the agency's own counter files for others"


async def begin_request(
    session: AsyncSession, clock: Clock, *, caller: Caller, wanted: RequestCreate
) -> tuple[Hand, list[RequestTask]]:
    """A draft, submitted at once when `wanted.submit`, and its tasks.

    The rows answered are what was written; the session does not hold them.

    Raises: ServiceUnknown, ServiceNotOffered, MandateTooNarrow, AssistanceRefused, FieldInvalid,
        RequestIncomplete.
    """
    offered = await offered_service(session, slug=wanted.service)
    if offered.state != "published":
        raise ServiceNotOffered(offered.reason or f"The service is {offered.state}.")
    if not caller.covers(offered.slug):
        raise MandateTooNarrow("Ask the business to widen it, or act for yourself.")
    if wanted.assisted is not None and not is_officer_of(caller, offered.agency):
        raise AssistanceRefused(f"An officer of {offered.agency} with scope {WRITE} may.")
    now = clock.now()
    row = _draft(offered, caller, wanted, now)
    hand = Hand(row, await calendars(session), caller, now)
    if not wanted.submit:
        await insert(session, row)
        return hand, []
    return hand, [await _submit(session, hand, offered)]


def _draft(
    offered: Offered, caller: Caller, wanted: RequestCreate, now: datetime
) -> ServiceRequest:
    standard, duration = offered.standard, offered.standard.duration
    if duration is None:
        raise ServiceNotOffered("The service's standard is not complete.")
    term = duration.channels.get(wanted.channel, duration)
    return ServiceRequest(
        id=uuid7(), ticket=new_ticket(civil_date(now).year), service_id=offered.id,
        service_version=offered.version, service=offered.slug, agency=offered.agency,
        applicant=str(caller.party), assisted=wanted.assisted is not None,
        assisted_name=wanted.assisted.name if wanted.assisted else None, channel=wanted.channel,
        state="draft", revision=1, acts=0, verified=False, appealed=False,
        starts=duration.starts, term_value=term.value, term_unit=term.unit, clock_mode="off",
        ran=[], calendar_revision=0, window_revision=0, reminders=0,
        on_breach=standard.on_breach, marks=[], reply_by=now + DRAFT_KEPT, created_at=now,
        answers=answered(standard, {}, wanted.answers, caller),
    )  # fmt: skip


async def _submit(session: AsyncSession, hand: Hand, offered: Offered) -> RequestTask:
    """The request with its first act and task, and the fact."""
    check_complete(offered.standard, hand.row)
    wanted, before = submission(hand), hand.row.state
    role = check_step(hand, wanted.act)
    act = applied(hand, wanted, (role, str(hand.caller.subject)))
    task = first_task(hand.row)
    await insert(session, hand.row, act, task)
    await publish(session, told(hand, wanted.act, before))
    return task
