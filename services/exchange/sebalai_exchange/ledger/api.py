"""HTTP of the ledger: receipts for parties, hashes for everyone."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import PlainTextResponse
from sebalai_shared.caller import IdentifiedAccess, PublicAccess
from sebalai_shared.database import Transaction
from sebalai_shared.problems import FieldInvalid, responses

from sebalai_exchange.inputs import INPUT
from sebalai_exchange.ledger import actions
from sebalai_exchange.ledger.actions import LogUnknown, ReceiptUnknown, TileUnknown
from sebalai_exchange.ledger.paths import MalformedPathError, parse_path
from sebalai_exchange.ledger.schema import LogList, LogRead, ProofRead, Receipt

router = APIRouter(tags=["ledger"], responses=INPUT)

SIZE_MAX = 2**53 - 1
LogName = Annotated[str, Path(pattern=r"^(records|exchanges/[0-9]{4})$")]
Size = Annotated[int, Query(ge=0, le=SIZE_MAX)]
OptionalSize = Annotated[int | None, Query(ge=1, le=SIZE_MAX)]
TileText = Annotated[str, Path(max_length=40)]
IMMUTABLE = {"Cache-Control": "public, max-age=31536000, immutable"}
_PROBLEMS = responses(LogUnknown, FieldInvalid)


@router.get("/receipts/{message_id}", response_model=Receipt, responses=responses(ReceiptUnknown))
async def read_receipt(
    request: Request, message_id: UUID, caller: IdentifiedAccess, session: Transaction
) -> Response:
    content = await actions.make_receipt(
        session, request.app.state.clock, caller=caller, message_id=message_id
    )
    return Response(content, media_type="application/json")


@router.get("/v1/ledger")
async def list_logs(_caller: PublicAccess, session: Transaction) -> LogList:
    logs = await actions.list_logs(session)
    return LogList(
        items=[LogRead(name=log.name, size=log.size, key=log.verifier_key) for log in logs]
    )


@router.get(
    "/v1/ledger/{log:path}/checkpoint", response_class=PlainTextResponse, responses=_PROBLEMS
)
async def read_checkpoint(log: LogName, _caller: PublicAccess, session: Transaction) -> str:
    """The signed checkpoint, a C2SP note."""
    found = await actions.find_log(session, name=log)
    return str(found.checkpoint)


@router.get("/v1/ledger/{log:path}/key", response_class=PlainTextResponse, responses=_PROBLEMS)
async def read_key(log: LogName, _caller: PublicAccess, session: Transaction) -> str:
    """The verifier key under the log's own name. Pin it from elsewhere before trusting it."""
    found = await actions.find_log(session, name=log)
    return f"{found.verifier_key}\n"


@router.get("/v1/ledger/{log:path}/proof/inclusion", responses=_PROBLEMS)
async def read_inclusion(
    log: LogName,
    _caller: PublicAccess,
    session: Transaction,
    index: Size,
    size: OptionalSize = None,
) -> ProofRead:
    proof = await actions.prove_inclusion(session, name=log, index=index, size=size)
    return ProofRead(log=log, size=proof.size, proof=[digest.hex() for digest in proof.hashes])


@router.get("/v1/ledger/{log:path}/proof/consistency", responses=_PROBLEMS)
async def read_consistency(
    log: LogName, _caller: PublicAccess, session: Transaction, old: Size, new: OptionalSize = None
) -> ProofRead:
    proof = await actions.prove_consistency(session, name=log, old=old, new=new)
    return ProofRead(log=log, size=proof.size, proof=[digest.hex() for digest in proof.hashes])


@router.get(
    "/v1/ledger/{log:path}/tile/{tile:path}", responses=responses(TileUnknown, FieldInvalid)
)
async def read_tile(
    log: LogName, tile: TileText, _caller: PublicAccess, session: Transaction
) -> Response:
    """A tile of hashes or a bundle of entries by its tlog-tiles path."""
    try:
        wanted = parse_path(tile)
    except MalformedPathError as error:
        raise FieldInvalid("/tile", str(error)) from error
    content = await actions.read_tile(session, name=log, wanted=wanted)
    return Response(content, media_type="application/octet-stream", headers=IMMUTABLE)
