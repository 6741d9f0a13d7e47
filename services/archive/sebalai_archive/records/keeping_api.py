"""HTTP of what stands around records: `/v1/file-units`, and needs, relations, loan of a record."""

from uuid import UUID

from fastapi import APIRouter, Request
from sebalai_shared.caller import IdentifiedAccess
from sebalai_shared.database import Transaction, row_dict
from sebalai_shared.idempotency import Idempotent, KeyReused
from sebalai_shared.problems import FieldInvalid, responses

from sebalai_archive.records.actions import MayNotWrite, RecordUnknown, ageing, keeping
from sebalai_archive.records.actions.keeping import (
    FileUnitNumberTaken,
    FileUnitUnknown,
    LoanUnknown,
    NotDeclared,
    RecordLent,
)
from sebalai_archive.records.keeping_schema import (
    FileUnitOpen,
    FileUnitRead,
    LoanAsk,
    LoanRead,
    NeedGive,
    NeedRead,
    RelationAdd,
    RelationsRead,
)
from sebalai_archive.records.model import FileUnit, Loan
from sebalai_archive.records.schema import RetentionEventRead, TriggerSet

router = APIRouter(prefix="/v1", tags=["records"])


def _file_unit(one: FileUnit) -> FileUnitRead:
    named = row_dict(one) | {"fonds": one.agency, "series": one.classification_code}
    return FileUnitRead.model_validate(named)


def _loan(one: Loan) -> LoanRead:
    return LoanRead.model_validate(
        {key: value for key, value in row_dict(one).items() if key != "record_id"}
        | {"record": one.record_id}
    )


@router.post(
    "/file-units",
    status_code=201,
    responses=responses(MayNotWrite, FieldInvalid, FileUnitNumberTaken, KeyReused),
)
async def open_file_unit(
    request: Request,
    caller: IdentifiedAccess,
    session: Transaction,
    once: Idempotent,
    wanted: FileUnitOpen,
) -> FileUnitRead:
    async def make() -> FileUnitRead:
        clock = request.app.state.clock
        return _file_unit(
            await keeping.open_file_unit(session, clock, caller=caller, wanted=wanted)
        )

    return await once.answer(session, FileUnitRead, make)


@router.get("/file-units/{file_id}", responses=responses(FileUnitUnknown))
async def read_file_unit(
    file_id: UUID, caller: IdentifiedAccess, session: Transaction
) -> FileUnitRead:
    return _file_unit(await keeping.find_file_unit(session, caller=caller, file_id=file_id))


@router.post("/file-units/{file_id}/closing", responses=responses(FileUnitUnknown, MayNotWrite))
async def close_file_unit(
    request: Request, file_id: UUID, caller: IdentifiedAccess, session: Transaction
) -> FileUnitRead:
    clock = request.app.state.clock
    return _file_unit(await keeping.close_file_unit(session, clock, caller=caller, file_id=file_id))


@router.post(
    "/records/{record_id}/needs",
    status_code=201,
    responses=responses(RecordUnknown, MayNotWrite, FieldInvalid, KeyReused),
)
async def give_need(
    request: Request,
    record_id: UUID,
    caller: IdentifiedAccess,
    session: Transaction,
    once: Idempotent,
    wanted: NeedGive,
) -> NeedRead:
    async def make() -> NeedRead:
        clock = request.app.state.clock
        made = await keeping.give_need(
            session, clock, caller=caller, record_id=record_id, wanted=wanted
        )
        return NeedRead.model_validate(row_dict(made))

    return await once.answer(session, NeedRead, make)


@router.put(
    "/records/{record_id}/trigger",
    responses=responses(RecordUnknown, MayNotWrite, NotDeclared, FieldInvalid),
)
async def set_trigger(
    request: Request,
    record_id: UUID,
    caller: IdentifiedAccess,
    session: Transaction,
    wanted: TriggerSet,
) -> list[RetentionEventRead]:
    """Starts the retention of a declared record; answers what has happened to it so far."""
    clock = request.app.state.clock
    await ageing.set_trigger(session, clock, caller=caller, record_id=record_id, wanted=wanted)
    rows = await ageing.history_of(session, clock, caller=caller, record_id=record_id)
    return [RetentionEventRead.model_validate(row_dict(row)) for row in rows]


@router.put(
    "/records/{record_id}/relations", responses=responses(RecordUnknown, MayNotWrite, FieldInvalid)
)
async def relate(
    request: Request,
    record_id: UUID,
    caller: IdentifiedAccess,
    session: Transaction,
    wanted: RelationAdd,
) -> RelationsRead:
    clock = request.app.state.clock
    rows = await keeping.relate(session, clock, caller=caller, record_id=record_id, wanted=wanted)
    return RelationsRead.model_validate(
        {"items": [{"kind": one.kind, "record": one.other_id} for one in rows]}
    )


@router.get("/records/{record_id}/relations", responses=responses(RecordUnknown))
async def read_relations(
    request: Request, record_id: UUID, caller: IdentifiedAccess, session: Transaction
) -> RelationsRead:
    clock = request.app.state.clock
    rows = await keeping.relations_of(session, clock, caller=caller, record_id=record_id)
    return RelationsRead.model_validate(
        {"items": [{"kind": one.kind, "record": one.other_id} for one in rows]}
    )


@router.put(
    "/records/{record_id}/loan",
    responses=responses(RecordUnknown, MayNotWrite, NotDeclared, RecordLent, FieldInvalid),
)
async def lend_record(
    request: Request,
    record_id: UUID,
    caller: IdentifiedAccess,
    session: Transaction,
    wanted: LoanAsk,
) -> LoanRead:
    clock = request.app.state.clock
    return _loan(
        await keeping.lend_record(session, clock, caller=caller, record_id=record_id, wanted=wanted)
    )


@router.delete(
    "/records/{record_id}/loan", responses=responses(RecordUnknown, MayNotWrite, LoanUnknown)
)
async def return_record(
    request: Request, record_id: UUID, caller: IdentifiedAccess, session: Transaction
) -> LoanRead:
    clock = request.app.state.clock
    return _loan(await keeping.return_record(session, clock, caller=caller, record_id=record_id))
