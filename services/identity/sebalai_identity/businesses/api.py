"""HTTP of businesses: `/v1/businesses`. A NIB travels in bodies alone."""

from uuid import UUID

from fastapi import APIRouter, Response
from sebalai_shared.database import Transaction
from sebalai_shared.idempotency import Idempotent
from sebalai_shared.problems import FieldInvalid, responses

from sebalai_identity.businesses import actions
from sebalai_identity.businesses.actions import (
    BusinessClosed,
    BusinessKnown,
    BusinessUnknown,
    RepresentationKnown,
    RepresentationUnknown,
)
from sebalai_identity.businesses.model import Representation
from sebalai_identity.businesses.schema import (
    BusinessClose,
    BusinessFind,
    BusinessRead,
    BusinessRegister,
    RepresentationRead,
    RepresentationRecord,
)
from sebalai_identity.desk import AtDesk
from sebalai_identity.keys.actions import NoSealingKey
from sebalai_identity.persons.actions import PeopleOnly, PersonUnknown
from sebalai_identity.wording import Ending

router = APIRouter(prefix="/v1/businesses", tags=["businesses"])


class BusinessShown(BusinessRead):
    representations: list[RepresentationRead]


def _representation(row: Representation) -> RepresentationRead:
    return RepresentationRead.model_validate(row, from_attributes=True)


@router.post(
    "",
    status_code=201,
    responses=responses(PeopleOnly, BusinessKnown, FieldInvalid, NoSealingKey),
)
async def register_business(
    desk: AtDesk, session: Transaction, once: Idempotent, wanted: BusinessRegister
) -> BusinessRead:
    async def make() -> BusinessRead:
        row = await actions.register_business(session, desk, wanted=wanted)
        return actions.read_business(desk, row)

    return await once.answer(session, BusinessRead, make)


@router.post("/find", responses=responses(PeopleOnly, BusinessUnknown, NoSealingKey))
async def find_business(
    desk: AtDesk, session: Transaction, response: Response, wanted: BusinessFind
) -> BusinessRead:
    """By NIB. A found business is an act in the audit trail."""
    response.headers["Cache-Control"] = "no-store"
    row = await actions.look_up(session, desk, nib=wanted.nib.get_secret_value())
    return actions.read_business(desk, row)


@router.get("/{business_id}", responses=responses(BusinessUnknown, NoSealingKey))
async def read_business(
    business_id: UUID, desk: AtDesk, session: Transaction, response: Response
) -> BusinessShown:
    response.headers["Cache-Control"] = "no-store"
    row, people = await actions.show(session, desk, business_id=business_id)
    shown = actions.read_business(desk, row)
    return BusinessShown(
        representations=[_representation(one) for one in people], **shown.model_dump()
    )


@router.post("/{business_id}/close", responses=responses(PeopleOnly, BusinessUnknown, NoSealingKey))
async def close_business(
    business_id: UUID, desk: AtDesk, session: Transaction, wanted: BusinessClose
) -> BusinessRead:
    row = await actions.close_business(session, desk, business_id=business_id, reason=wanted.reason)
    return actions.read_business(desk, row)


@router.post(
    "/{business_id}/representations",
    status_code=201,
    responses=responses(
        PeopleOnly,
        BusinessUnknown,
        PersonUnknown,
        BusinessClosed,
        RepresentationKnown,
        FieldInvalid,
    ),
)
async def record_representation(
    business_id: UUID,
    desk: AtDesk,
    session: Transaction,
    once: Idempotent,
    wanted: RepresentationRecord,
) -> RepresentationRead:
    async def make() -> RepresentationRead:
        row = await actions.record_representation(
            session, desk, business_id=business_id, wanted=wanted
        )
        return _representation(row)

    return await once.answer(session, RepresentationRead, make)


@router.post(
    "/{business_id}/representations/{representation_id}/end",
    responses=responses(PeopleOnly, RepresentationUnknown, FieldInvalid),
)
async def end_representation(
    business_id: UUID,
    representation_id: UUID,
    desk: AtDesk,
    session: Transaction,
    wanted: Ending,
) -> RepresentationRead:
    row = await actions.end_representation(
        session,
        desk,
        business_id=business_id,
        representation_id=representation_id,
        ending=wanted,
    )
    return _representation(row)
