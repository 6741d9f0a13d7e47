"""Decisions about satisfaction surveys: invite once a finished request, take one answer, publish.

Source: PermenPANRB 14/2017; nine elements by identifier, answers 1 to 4, no personal data.
"""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.ids import uuid7
from sebalai_shared.problems import Conflict, FieldInvalid, Forbidden, NotFound
from sqlalchemy import Integer, cast, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.calendar.actions import civil_date
from sebalai_services_catalog.reference.actions import bands, elements
from sebalai_services_catalog.requests.actions import find_request, is_applicant
from sebalai_services_catalog.services.actions import Service, find_service
from sebalai_services_catalog.surveys.model import SurveyAnswer, SurveyInvitation, SurveyPlan
from sebalai_services_catalog.surveys.score import Score, score

__all__ = ["Score"]

CODE_BYTES = 18
FINISHED = ("issued", "refused")
DECIDE = "catalog.decide"
PLANS_MAX = 100


class SurveyNotDue(Conflict):
    slug, title = "survey-not-due", "The request is not finished"


class SurveyAnswered(Conflict):
    slug, title = "survey-answered", "The survey of this request was answered"


class InvitationUnknown(NotFound):
    slug, title = "survey-invitation-unknown", "There is no such invitation"


class InvitationRefused(Forbidden):
    slug, title = "survey-invitation-refused", "This caller is not asked about the request"


class PlanUnknown(NotFound):
    slug, title = "survey-plan-unknown", "The service has no such plan"


class PlanRefused(Forbidden):
    slug, title = "survey-plan-refused", "This caller may not plan for the service"


async def invite(session: AsyncSession, clock: Clock, *, caller: Caller, request: UUID) -> str:
    """A one-time code for a finished request; asking again before the answer gives a new code.

    An officer who only handles the request gets none: whoever is judged does not answer.
    Raises: RequestUnknown, InvitationRefused, SurveyNotDue, SurveyAnswered.
    """
    row, _ = await find_request(session, caller=caller, key=request)
    if not is_applicant(caller, row):
        raise InvitationRefused("Only who filed the request is asked.")
    if row.state not in FINISHED:
        raise SurveyNotDue(f"The request is {row.state}.")
    invitation = await session.get(SurveyInvitation, request, with_for_update=True)
    if invitation is not None and invitation.answered:
        raise SurveyAnswered("One answer a request; thank you.")
    code = secrets.token_urlsafe(CODE_BYTES)
    if invitation is None:
        invitation = SurveyInvitation(
            request_id=row.id, service_id=row.service_id, service=row.service, agency=row.agency
        )
        session.add(invitation)
    invitation.code_sha256, invitation.invited_at = _digest(code), clock.now()
    await session.flush()
    return code


async def answer(
    session: AsyncSession, clock: Clock, *, code: str, scores: Mapping[str, int]
) -> str:
    """Takes the one answer of an invitation; answers the service's slug.

    Raises: InvitationUnknown, SurveyAnswered, FieldInvalid unless each element is answered.
    """
    query = select(SurveyInvitation).where(SurveyInvitation.code_sha256 == _digest(code))
    invitation = (await session.scalars(query.with_for_update())).one_or_none()
    if invitation is None:
        raise InvitationUnknown("Use the link of the invitation as it is.")
    if invitation.answered:
        raise SurveyAnswered("One answer a request; thank you.")
    wanted = [element.identifier for element in await elements(session)]
    for name in {*wanted, *scores}:
        if name not in wanted or name not in scores:
            raise FieldInvalid(f"/scores/{name}", f"Answer each of {', '.join(wanted)}.")
    invitation.answered = True
    await session.execute(
        insert(SurveyAnswer).values(
            service_id=invitation.service_id,
            service=invitation.service,
            agency=invitation.agency,
            answered_on=civil_date(clock.now()),
            scores=dict(scores),
        )
    )
    return invitation.service


async def result(
    session: AsyncSession, *, caller: Caller, service: str, period: tuple[date, date]
) -> Score | None:
    """None without respondents. Raises: ServiceUnknown."""
    await find_service(session, caller=caller, slug=service)
    return (await results(session, period=period, service=service)).get(service)


async def results(
    session: AsyncSession, *, period: tuple[date, date], service: str | None = None
) -> dict[str, Score]:
    """Scores by service, of answers given in the period (both days in it)."""
    names = [element.identifier for element in await elements(session)]
    scale = [(band.lower, band.upper, band.grade) for band in await bands(session, scale="skm")]
    sums = [func.sum(cast(SurveyAnswer.scores[name].astext, Integer)) for name in names]
    query = (
        select(SurveyAnswer.service, func.count(), *sums)
        .where(SurveyAnswer.answered_on.between(*period))
        .group_by(SurveyAnswer.service)
    )
    if service is not None:
        query = query.where(SurveyAnswer.service == service)
    found: dict[str, Score] = {}
    for slug, respondents, *totals in await session.execute(query):
        one = score(dict(zip(names, totals, strict=True)), respondents, scale)
        if one is not None:
            found[slug] = one
    return found


async def plan(
    session: AsyncSession, clock: Clock, *, caller: Caller, service: str, wanted: SurveyPlan
) -> SurveyPlan:
    """Raises: ServiceUnknown, PlanRefused, FieldInvalid."""
    found = await _planned(session, caller, service)
    if wanted.element not in {element.identifier for element in await elements(session)}:
        raise FieldInvalid("/element", "There is no such element.")
    wanted.id, wanted.service, wanted.agency = uuid7(), service, found.agency
    wanted.entered_by, wanted.entered_at = str(caller.subject), clock.now()
    session.add(wanted)
    await session.flush()
    return wanted


async def finish_plan(
    session: AsyncSession, *, caller: Caller, service: str, key: UUID, done_on: date
) -> SurveyPlan:
    """The day it was carried out; a corrected day replaces it.

    Raises: ServiceUnknown, PlanRefused, PlanUnknown.
    """
    await _planned(session, caller, service)
    row = await session.get(SurveyPlan, key, with_for_update=True)
    if row is None or row.service != service:
        raise PlanUnknown("Look at the service's plans.")
    row.done_on = done_on
    await session.flush()
    return row


async def _planned(session: AsyncSession, caller: Caller, service: str) -> Service:
    """The service, if the caller plans for it. Raises: ServiceUnknown, PlanRefused."""
    found, _ = await find_service(session, caller=caller, slug=service)
    if not (caller.is_operator or (caller.agency == found.agency and caller.has_scope(DECIDE))):
        raise PlanRefused(f"Only {found.agency} with scope {DECIDE} may.")
    return found


async def list_plans(session: AsyncSession, *, service: str) -> Sequence[SurveyPlan]:
    query = select(SurveyPlan).where(SurveyPlan.service == service).order_by(SurveyPlan.id.desc())
    return (await session.scalars(query.limit(PLANS_MAX))).all()


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
