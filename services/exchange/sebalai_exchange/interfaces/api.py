"""HTTP of interfaces: `/v1/interfaces`."""

from typing import Annotated
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from sebalai_shared.caller import Caller, GatewayAccess, IdentifiedAccess, PublicAccess
from sebalai_shared.database import Transaction
from sebalai_shared.idempotency import Idempotent
from sebalai_shared.pagination import CursorText, Limit, Page, decode_cursor, page
from sebalai_shared.problems import NotFound, Problem, Unavailable, responses

from sebalai_exchange.inputs import INPUT
from sebalai_exchange.interfaces import access, actions
from sebalai_exchange.interfaces.actions import (
    BreakingChange,
    ContractUnusable,
    InterfaceFilter,
    InterfaceUnknown,
    NotTheProvider,
    ReadingReserved,
)
from sebalai_exchange.interfaces.appearance import Credential
from sebalai_exchange.interfaces.model import Interface
from sebalai_exchange.interfaces.schema import (
    ContractDiff,
    ContractDiffRead,
    ContractRead,
    InterfaceDeprecate,
    InterfacePublish,
    InterfaceRead,
    InterfaceRetire,
    Limits,
    Validation,
    VersionList,
    VersionRead,
)
from sebalai_exchange.names import NAME_LENGTH_MAX
from sebalai_exchange.openapi.running import DOCUMENT_BYTES_MAX
from sebalai_exchange.telling import Told

router = APIRouter(
    prefix="/v1/interfaces", tags=["interfaces"], responses=INPUT, dependencies=[Told]
)
contracts_router = APIRouter(prefix="/v1/contracts", tags=["interfaces"], responses=INPUT)
internal_router = APIRouter(prefix="/internal", tags=["internal"], include_in_schema=False)


class ContractTooLarge(Problem):
    status, slug, title = 413, "contract-too-large", "The contract is too large"


Name = Annotated[str | None, Query(max_length=NAME_LENGTH_MAX)]


async def _filter(agency: Name = None, provider: Name = None, name: Name = None) -> InterfaceFilter:
    return InterfaceFilter(agency, provider, name)


def _read(interface: Interface, caller: Caller) -> InterfaceRead:
    shown = access.may_see_addresses(caller, interface.provider)
    return InterfaceRead(
        id=interface.id,
        name=interface.name,
        title=interface.title,
        provider=interface.provider,
        agency=interface.agency,
        addresses=interface.addresses if shown else None,
        member=interface.member,
        contract_sha256=interface.contract_sha256,
        contract_version=interface.contract_version,
        validation=Validation.model_validate(
            {"requests": interface.validate_requests, "responses": interface.validate_responses}
        ),
        deprecated_at=interface.deprecated_at,
        sunset_at=interface.sunset_at,
        successor=interface.successor,
        state=interface.state,
        limits=Limits.model_validate(interface, from_attributes=True),
        trust_anchors=interface.trust_anchors if shown else None,
        credential=_credential(interface) if shown else None,
        published_at=interface.published_at,
        changed_at=interface.changed_at,
    )


def _credential(interface: Interface) -> Credential | None:
    return Credential.model_validate(interface.credential) if interface.credential else None


@router.post(
    "",
    status_code=201,
    responses=responses(NotTheProvider, ContractUnusable, BreakingChange, Unavailable),
)
async def publish_interface(
    request: Request,
    response: Response,
    caller: IdentifiedAccess,
    session: Transaction,
    once: Idempotent,
    wanted: InterfacePublish,
) -> InterfaceRead:
    state = request.app.state
    # Before `session` is used at all: a transaction begins with its first statement.
    proposal = await actions.read_proposal(
        state.database, caller=caller, wanted=wanted, reader=state.contracts
    )

    async def make() -> InterfaceRead:
        made = await actions.publish_interface(
            session,
            state.clock,
            caller=caller,
            wanted=wanted,
            proposal=proposal,
            instance=state.settings.instance,
        )
        return _read(made, caller)

    answer = await once.answer(session, InterfaceRead, make)
    response.headers["Location"] = f"/v1/interfaces/{answer.id}"
    return answer


@router.get("")
async def list_interfaces(
    caller: PublicAccess,
    session: Transaction,
    wanted: Annotated[InterfaceFilter, Depends(_filter)],
    cursor: CursorText = None,
    limit: Limit = 20,
) -> Page[InterfaceRead]:
    after = decode_cursor(cursor, 1)
    rows = await actions.list_interfaces(
        session,
        caller=caller,
        wanted=wanted,
        after=str(after[0]) if after else None,
        limit=limit,
    )
    return page(rows, limit, lambda row: _read(row, caller), lambda row: [row.name])


@router.get("/{interface_id}", responses=responses(NotFound))
async def read_interface(
    interface_id: UUID, caller: PublicAccess, session: Transaction
) -> InterfaceRead:
    found = await actions.find_interface(session, caller=caller, interface_id=interface_id)
    return _read(found, caller)


@router.get("/{interface_id}/contract", responses=responses(NotFound))
async def read_contract(interface_id: UUID, caller: PublicAccess, session: Transaction) -> Response:
    """The exact bytes whose SHA-256 is `contract_sha256`."""
    document = await actions.read_contract(session, caller=caller, interface_id=interface_id)
    return Response(document, media_type="application/openapi+json")


@router.post("/{interface_id}/retire", responses=responses(NotFound, NotTheProvider))
async def retire_interface(
    request: Request,
    interface_id: UUID,
    caller: IdentifiedAccess,
    session: Transaction,
    wanted: InterfaceRetire,
) -> InterfaceRead:
    retired = await actions.retire_interface(
        session,
        request.app.state.clock,
        caller=caller,
        interface_id=interface_id,
        reason=wanted.reason,
    )
    return _read(retired, caller)


@router.post("/{interface_id}/deprecate", responses=responses(InterfaceUnknown, NotTheProvider))
async def deprecate_interface(
    request: Request,
    interface_id: UUID,
    caller: IdentifiedAccess,
    session: Transaction,
    wanted: InterfaceDeprecate,
) -> InterfaceRead:
    """Announces the interface's end; its answers say so from now on."""
    changed = await actions.deprecate_interface(
        session,
        request.app.state.clock,
        caller=caller,
        interface_id=interface_id,
        wanted=wanted,
    )
    return _read(changed, caller)


@router.get("/{interface_id}/versions", responses=responses(InterfaceUnknown))
async def list_versions(
    interface_id: UUID, caller: PublicAccess, session: Transaction
) -> VersionList:
    rows = await actions.list_versions(session, caller=caller, interface_id=interface_id)
    return VersionList(
        items=[VersionRead.model_validate(row, from_attributes=True) for row in rows]
    )


@router.post(
    "/{interface_id}/diff",
    responses=responses(InterfaceUnknown, ReadingReserved, ContractUnusable, Unavailable),
)
async def compare_contract(
    request: Request,
    interface_id: UUID,
    caller: IdentifiedAccess,
    wanted: ContractDiff,
) -> ContractDiffRead:
    """What publishing this contract would break; nothing is changed."""
    contract, is_same = await actions.compare_contract(
        request.app.state.database,
        caller=caller,
        interface_id=interface_id,
        document=actions.encoded(wanted.contract),
        reader=request.app.state.contracts,
    )
    return ContractDiffRead(
        contract_sha256=contract.sha256, is_same=is_same, breaks=contract.breaks
    )


@contracts_router.post(
    "", responses=responses(ReadingReserved, ContractUnusable, ContractTooLarge, Unavailable)
)
async def upload_contract(
    request: Request, caller: IdentifiedAccess, session: Transaction
) -> ContractRead:
    """The document itself as the body, up to 16 MiB; publish it by its digest afterwards.

    The same document is the same digest, so repeating an upload changes nothing.
    """
    state = request.app.state
    contract = await actions.read_upload(
        caller=caller, document=await _body(request), reader=state.contracts
    )
    await actions.keep_contract(session, state.clock, contract=contract)
    operations = len(orjson.loads(contract.outline))
    return ContractRead(sha256=contract.sha256, version=contract.version, operations=operations)


async def _body(request: Request) -> bytes:
    chunks, size = list[bytes](), 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > DOCUMENT_BYTES_MAX:
            raise ContractTooLarge(f"At most {DOCUMENT_BYTES_MAX} bytes.")
        chunks.append(chunk)
    return b"".join(chunks)


@internal_router.get("/contracts/{sha256}")
async def read_pack(
    _caller: GatewayAccess,
    session: Transaction,
    sha256: Annotated[str, Path(pattern="^[0-9a-f]{64}$")],
) -> Response:
    """What gateways check calls by (wiring, section 7)."""
    pack = await actions.contract_pack(session, sha256=sha256)
    if pack is None:
        raise NotFound("Calls of this contract are not checked.")
    return Response(pack, media_type="application/json")
