"""HTTP of persons: `/v1/persons`. A NIK travels in bodies alone."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from sebalai_shared.caller import Caller
from sebalai_shared.database import Transaction
from sebalai_shared.idempotency import Idempotent
from sebalai_shared.pagination import CursorText, Limit, Page, page
from sebalai_shared.problems import FieldInvalid, responses

from sebalai_identity.desk import AtDesk
from sebalai_identity.keys.actions import NoSealingKey
from sebalai_identity.names import TEXT_PATTERN, cursor_id
from sebalai_identity.persons import actions
from sebalai_identity.persons.actions import (
    NikLinked,
    PeopleOnly,
    PersonFilter,
    PersonKnown,
    PersonUnknown,
)
from sebalai_identity.persons.schema import (
    ComparisonRead,
    PersonChange,
    PersonDeactivate,
    PersonFind,
    PersonRead,
    PersonRegister,
)

router = APIRouter(prefix="/v1/persons", tags=["persons"])

Word = Annotated[str | None, Query(min_length=2, max_length=80, pattern=TEXT_PATTERN)]
State = Literal["active", "deactivated"]
ONE = responses(PersonUnknown, PeopleOnly, NoSealingKey)


async def _filter(q: Word = None, state: State | None = None) -> PersonFilter:
    return PersonFilter(q, state)


@router.post(
    "",
    status_code=201,
    responses=responses(PeopleOnly, PersonKnown, FieldInvalid, NoSealingKey),
)
async def register_person(
    desk: AtDesk, session: Transaction, once: Idempotent, wanted: PersonRegister
) -> PersonRead:
    async def make() -> PersonRead:
        person = await actions.register_person(session, desk, wanted=wanted)
        return actions.read_person(desk, person)

    return await once.answer(session, PersonRead, make)


@router.post("/find", responses=ONE)
async def find_person(
    desk: AtDesk, session: Transaction, response: Response, wanted: PersonFind
) -> PersonRead:
    """By NIK. A found person is an act in the audit trail."""
    response.headers["Cache-Control"] = "no-store"
    person = await actions.look_up(session, desk, nik=wanted.nik.get_secret_value())
    return actions.read_person(desk, person)


@router.get("", responses=responses(NoSealingKey))
async def list_persons(
    desk: AtDesk,
    session: Transaction,
    response: Response,
    wanted: Annotated[PersonFilter, Depends(_filter)],
    cursor: CursorText = None,
    limit: Limit = 20,
) -> Page[PersonRead]:
    response.headers["Cache-Control"] = "no-store"
    after = cursor_id(cursor)
    caller: Caller = desk.caller
    rows = await actions.list_persons(
        session, caller=caller, wanted=wanted, after=after, limit=limit
    )
    return page(rows, limit, lambda row: actions.read_person(desk, row), lambda row: [row.id])


@router.get("/{person_id}", responses=responses(PersonUnknown, NoSealingKey))
async def read_person(
    person_id: UUID, desk: AtDesk, session: Transaction, response: Response
) -> PersonRead:
    response.headers["Cache-Control"] = "no-store"
    person = await actions.show_person(session, caller=desk.caller, person_id=person_id)
    return actions.read_person(desk, person)


@router.patch("/{person_id}", responses=responses(*(PersonUnknown, PeopleOnly, FieldInvalid)))
async def change_person(
    person_id: UUID, desk: AtDesk, session: Transaction, wanted: PersonChange
) -> PersonRead:
    person = await actions.change_person(session, desk, person_id=person_id, wanted=wanted)
    return actions.read_person(desk, person)


@router.post(
    "/{person_id}/nik",
    responses=responses(
        PeopleOnly, PersonUnknown, NikLinked, PersonKnown, FieldInvalid, NoSealingKey
    ),
)
async def link_nik(
    person_id: UUID, desk: AtDesk, session: Transaction, wanted: PersonFind
) -> PersonRead:
    """Gives a person registered without a NIK their own."""
    nik = wanted.nik.get_secret_value()
    person = await actions.link_nik(session, desk, person_id=person_id, nik=nik)
    return actions.read_person(desk, person)


@router.post("/{person_id}/nik/comparison", responses=ONE)
async def compare_nik(
    person_id: UUID,
    desk: AtDesk,
    session: Transaction,
    response: Response,
    wanted: PersonFind,
) -> ComparisonRead:
    """Scope `identity.compare`: whether the number is this person's. Each try is an act."""
    response.headers["Cache-Control"] = "no-store"
    nik = wanted.nik.get_secret_value()
    is_same = await actions.compare_nik(session, desk, person_id=person_id, nik=nik)
    return ComparisonRead(is_same=is_same)


@router.post("/{person_id}/deactivate", responses=ONE)
async def deactivate_person(
    person_id: UUID, desk: AtDesk, session: Transaction, wanted: PersonDeactivate
) -> PersonRead:
    person = await actions.deactivate_person(
        session, desk, person_id=person_id, reason=wanted.reason
    )
    return actions.read_person(desk, person)


@router.post("/{person_id}/reactivate", responses=ONE)
async def reactivate_person(
    person_id: UUID, desk: AtDesk, session: Transaction, wanted: PersonDeactivate
) -> PersonRead:
    person = await actions.reactivate_person(
        session, desk, person_id=person_id, reason=wanted.reason
    )
    return actions.read_person(desk, person)
