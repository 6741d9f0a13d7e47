"""HTTP of satisfaction surveys: `/v1/surveys`; answering needs a code, reading nothing."""

from datetime import date, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, status
from pydantic import BaseModel, ConfigDict, Field
from sebalai_shared.caller import IdentifiedAccess, PublicAccess
from sebalai_shared.database import Transaction
from sebalai_shared.idempotency import Idempotent, KeyReused
from sebalai_shared.problems import FieldInvalid, responses

from sebalai_services_catalog.calendar.actions import civil_date
from sebalai_services_catalog.now import Now
from sebalai_services_catalog.requests.actions import RequestUnknown
from sebalai_services_catalog.services.actions import ServiceUnknown
from sebalai_services_catalog.surveys import actions
from sebalai_services_catalog.surveys.actions import (
    InvitationRefused,
    InvitationUnknown,
    PlanRefused,
    PlanUnknown,
    SurveyAnswered,
    SurveyNotDue,
)
from sebalai_services_catalog.surveys.model import SurveyPlan
from sebalai_services_catalog.surveys.score import half_up, sample_size

router = APIRouter(prefix="/v1/surveys", tags=["surveys"])

YEAR = timedelta(days=365)
POPULATION_MAX = 10_000_000

Slug = Annotated[str, Path(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
Since = Annotated[date | None, Query(description="first day; a year back when absent")]
Until = Annotated[date | None, Query(description="last day; today when absent")]
Answer = Annotated[int, Field(ge=1, le=4)]
Element = Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")]


class Invite(BaseModel):
    model_config = ConfigDict(extra="forbid")

    request: UUID


class InvitationRead(BaseModel):
    """`code` is shown once and works once, without login."""

    code: str


class AnswerWrite(BaseModel):
    """Nine elements by identifier, each 1 to 4; nothing about the person."""

    model_config = ConfigDict(extra="forbid")

    code: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
    scores: Annotated[dict[Element, Answer], Field(min_length=1, max_length=9)]


class Answered(BaseModel):
    service: str


class ScoreRead(BaseModel):
    """`skm` null without respondents. `exact` is a fraction; `comparison_0_11` is what the printed
    weight would give, for comparison only.
    """

    service: str
    since: date
    until: date
    respondents: int
    skm: str | None
    grade: str | None
    exact: str | None
    elements: dict[str, str]
    lowest: list[str]
    comparison_0_11: str | None


class SizeRead(BaseModel):
    population: int
    respondents_wanted: int


class PlanWrite(BaseModel):
    model_config = ConfigDict(extra="forbid")

    element: Element
    plan: Annotated[str, Field(min_length=1, max_length=2_000, pattern=r"^[^\x00]*$")]
    due_on: date


class Completion(BaseModel):
    model_config = ConfigDict(extra="forbid")

    done_on: date


class PlanRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    service: str
    element: str
    plan: str
    due_on: date
    done_on: date | None
    entered_by: str


@router.post(
    "/invitations",
    responses=responses(RequestUnknown, InvitationRefused, SurveyNotDue, SurveyAnswered),
)
async def invite(
    wanted: Invite, caller: IdentifiedAccess, session: Transaction, clock: Now
) -> InvitationRead:
    """For the applicant of a finished request. Asking again before the answer gives a new code."""
    code = await actions.invite(session, clock, caller=caller, request=wanted.request)
    return InvitationRead(code=code)


@router.post(
    "/answers",
    responses=responses(InvitationUnknown, SurveyAnswered, FieldInvalid),
)
async def answer(
    wanted: AnswerWrite,
    caller: PublicAccess,  # noqa: ARG001 - public: the code is the key
    session: Transaction,
    clock: Now,
) -> Answered:
    """One answer a request; the code makes a repetition harmless."""
    slug = await actions.answer(session, clock, code=wanted.code, scores=wanted.scores)
    return Answered(service=slug)


@router.get("/sample-size")
async def read_sample_size(
    caller: PublicAccess,  # noqa: ARG001 - public
    population: Annotated[int, Query(ge=0, le=POPULATION_MAX)],
) -> SizeRead:
    """How many respondents the ministry's guide asks for."""
    return SizeRead(population=population, respondents_wanted=sample_size(population))


@router.get("/{service}", responses=responses(ServiceUnknown))
async def read_score(
    service: Slug,
    caller: PublicAccess,
    session: Transaction,
    clock: Now,
    since: Since = None,
    until: Until = None,
) -> ScoreRead:
    """The published score of a service with its number of respondents."""
    last = until or civil_date(clock.now())
    first = since or last - YEAR
    found = await actions.result(session, caller=caller, service=service, period=(first, last))
    if found is None:
        return ScoreRead(
            service=service, since=first, until=last, respondents=0, skm=None, grade=None,
            exact=None, elements={}, lowest=[], comparison_0_11=None,
        )  # fmt: skip
    return ScoreRead(
        service=service,
        since=first,
        until=last,
        respondents=found.respondents,
        skm=str(found.rounded),
        grade=found.grade,
        exact=str(found.value),
        elements={name: str(half_up(nrr)) for name, nrr in found.elements.items()},
        lowest=list(found.lowest),
        comparison_0_11=str(found.with_rounded_weights),
    )


@router.get("/{service}/plans")
async def list_plans(
    service: Slug,
    caller: PublicAccess,  # noqa: ARG001 - public
    session: Transaction,
) -> list[PlanRead]:
    rows = await actions.list_plans(session, service=service)
    return [PlanRead.model_validate(row) for row in rows]


@router.post(
    "/{service}/plans",
    status_code=status.HTTP_201_CREATED,
    responses=responses(ServiceUnknown, PlanRefused, FieldInvalid, KeyReused),
)
async def plan(
    service: Slug,
    wanted: PlanWrite,
    caller: IdentifiedAccess,
    session: Transaction,
    once: Idempotent,
    clock: Now,
) -> PlanRead:
    """What is done about a low element (PermenPANRB 14/2017 asks for follow-up)."""

    async def make() -> PlanRead:
        row = SurveyPlan(**wanted.model_dump(), done_on=None)
        made = await actions.plan(session, clock, caller=caller, service=service, wanted=row)
        return PlanRead.model_validate(made)

    return await once.answer(session, PlanRead, make)


@router.put(
    "/{service}/plans/{key}/completion",
    responses=responses(ServiceUnknown, PlanUnknown, PlanRefused),
)
async def finish_plan(
    service: Slug, key: UUID, wanted: Completion, caller: IdentifiedAccess, session: Transaction
) -> PlanRead:
    """The plan was carried out, on which day; scope `catalog.decide` of the agency."""
    row = await actions.finish_plan(
        session, caller=caller, service=service, key=key, done_on=wanted.done_on
    )
    return PlanRead.model_validate(row)
