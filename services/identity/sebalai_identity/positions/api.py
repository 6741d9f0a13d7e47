"""HTTP of positions: `/v1/positions`, read by everyone."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from sebalai_shared.caller import PublicAccess
from sebalai_shared.database import Transaction
from sebalai_shared.idempotency import Idempotent
from sebalai_shared.pagination import CursorText, Limit, Page, page
from sebalai_shared.problems import FieldInvalid, responses

from sebalai_identity.agencies.actions import AgencyUnknown
from sebalai_identity.desk import AtDesk
from sebalai_identity.names import Slug, cursor_id
from sebalai_identity.persons.actions import PeopleOnly
from sebalai_identity.positions import actions
from sebalai_identity.positions.actions import PositionFilter, PositionKnown, PositionUnknown
from sebalai_identity.positions.model import Position
from sebalai_identity.positions.schema import PositionEstablish, PositionRead
from sebalai_identity.wording import Instant

router = APIRouter(prefix="/v1/positions", tags=["positions"])


async def _filter(
    agency: Slug | None = None, code: Slug | None = None, at: Instant | None = None
) -> PositionFilter:
    return PositionFilter(agency, code, at)


def _read(row: Position) -> PositionRead:
    return PositionRead.model_validate(row, from_attributes=True)


@router.post(
    "",
    status_code=201,
    responses=responses(PeopleOnly, AgencyUnknown, PositionKnown, FieldInvalid),
)
async def establish_position(
    desk: AtDesk, session: Transaction, once: Idempotent, wanted: PositionEstablish
) -> PositionRead:
    async def make() -> PositionRead:
        return _read(await actions.establish(session, desk, wanted=wanted))

    return await once.answer(session, PositionRead, make)


@router.get("")
async def list_positions(
    caller: PublicAccess,
    session: Transaction,
    wanted: Annotated[PositionFilter, Depends(_filter)],
    cursor: CursorText = None,
    limit: Limit = 20,
) -> Page[PositionRead]:
    rows = await actions.list_positions(
        session, caller=caller, wanted=wanted, after=cursor_id(cursor), limit=limit
    )
    return page(rows, limit, _read, lambda row: [row.id])


@router.get("/{position_id}", responses=responses(PositionUnknown))
async def read_position(
    position_id: UUID, caller: PublicAccess, session: Transaction
) -> PositionRead:
    return _read(await actions.show(session, caller=caller, position_id=position_id))
