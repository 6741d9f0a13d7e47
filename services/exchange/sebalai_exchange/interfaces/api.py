"""HTTP of interfaces: `/v1/interfaces`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from sebalai_shared.caller import Caller, IdentifiedAccess, PublicAccess
from sebalai_shared.database import Transaction
from sebalai_shared.idempotency import Idempotent
from sebalai_shared.pagination import CursorText, Limit, Page, decode_cursor, page
from sebalai_shared.problems import FieldInvalid, NotFound, responses

from sebalai_exchange.inputs import INPUT
from sebalai_exchange.interfaces import access, actions
from sebalai_exchange.interfaces.actions import InterfaceFilter, NotTheProvider
from sebalai_exchange.interfaces.model import Interface
from sebalai_exchange.interfaces.schema import (
    InterfacePublish,
    InterfaceRead,
    InterfaceRetire,
    Limits,
)
from sebalai_exchange.names import NAME_LENGTH_MAX

router = APIRouter(prefix="/v1/interfaces", tags=["interfaces"], responses=INPUT)

Name = Annotated[str | None, Query(max_length=NAME_LENGTH_MAX)]


def _filter(agency: Name = None, provider: Name = None, name: Name = None) -> InterfaceFilter:
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
        state=interface.state,
        limits=Limits(
            connect_timeout_ms=interface.connect_timeout_ms,
            read_timeout_ms=interface.read_timeout_ms,
            total_timeout_ms=interface.total_timeout_ms,
            max_request_bytes=interface.max_request_bytes,
        ),
        published_at=interface.published_at,
        changed_at=interface.changed_at,
    )


@router.post("", status_code=201, responses=responses(NotTheProvider, FieldInvalid))
async def publish_interface(
    request: Request,
    response: Response,
    caller: IdentifiedAccess,
    session: Transaction,
    once: Idempotent,
    wanted: InterfacePublish,
) -> InterfaceRead:
    async def make() -> InterfaceRead:
        made = await actions.publish_interface(
            session, request.app.state.clock, caller=caller, wanted=wanted
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
