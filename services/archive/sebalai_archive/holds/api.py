"""HTTP of legal holds: `/v1/holds`."""

from uuid import UUID

from fastapi import APIRouter, Request
from sebalai_shared.caller import IdentifiedAccess
from sebalai_shared.database import Transaction, row_dict
from sebalai_shared.idempotency import Idempotent, KeyReused
from sebalai_shared.problems import responses

from sebalai_archive.holds import actions
from sebalai_archive.holds.actions import HoldReleased, HoldUnknown
from sebalai_archive.holds.model import LegalHold
from sebalai_archive.holds.schema import HoldPlace, HoldRead, HoldRelease
from sebalai_archive.records.actions import MayNotWrite, RecordUnknown

router = APIRouter(prefix="/v1/holds", tags=["holds"])


async def _read(session: Transaction, hold: LegalHold) -> HoldRead:
    records = await actions.records_of(session, hold=hold)
    return HoldRead.model_validate(row_dict(hold) | {"records": list(records)})


@router.post("", status_code=201, responses=responses(MayNotWrite, RecordUnknown, KeyReused))
async def place_hold(
    request: Request,
    caller: IdentifiedAccess,
    session: Transaction,
    once: Idempotent,
    wanted: HoldPlace,
) -> HoldRead:
    async def make() -> HoldRead:
        clock = request.app.state.clock
        return await _read(
            session, await actions.place_hold(session, clock, caller=caller, wanted=wanted)
        )

    return await once.answer(session, HoldRead, make)


@router.get("/{hold_id}", responses=responses(HoldUnknown))
async def read_hold(hold_id: UUID, caller: IdentifiedAccess, session: Transaction) -> HoldRead:
    return await _read(session, await actions.find_hold(session, caller=caller, hold_id=hold_id))


@router.post("/{hold_id}/release", responses=responses(HoldUnknown, MayNotWrite, HoldReleased))
async def release_hold(
    request: Request,
    hold_id: UUID,
    caller: IdentifiedAccess,
    session: Transaction,
    wanted: HoldRelease,
) -> HoldRead:
    clock = request.app.state.clock
    released = await actions.release_hold(
        session, clock, caller=caller, hold_id=hold_id, wanted=wanted
    )
    return await _read(session, released)
