"""Requests for a client: asked by an agency, decided by somebody else, then registered."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from sebalai_shared.caller import OPERATE, Caller
from sebalai_shared.ids import uuid7
from sebalai_shared.problems import Conflict, Forbidden, NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.acts.actions import tell
from sebalai_identity.agencies.actions import require_in_force
from sebalai_identity.applications.actions import (
    ApplicationRegister,
    Authority,
    register_application,
)
from sebalai_identity.client_requests import access, events, store
from sebalai_identity.client_requests.model import APPROVED, REFUSED, REQUESTED, ClientRequest
from sebalai_identity.desk import Desk
from sebalai_identity.duties import are_one_hand, system_of
from sebalai_identity.rows import insert_once


class OwnAgencyOnly(Forbidden):
    slug, title = "own-agency-only", "A client is asked for by its own agency"


class ApproversOnly(Forbidden):
    slug, title = "client-approvers-only", "Only an approver of clients may do this"


class OwnRequest(Forbidden):
    slug, title = "own-client-request", "Another person than you must decide on it"


class ClientRequestUnknown(NotFound):
    slug, title = "client-request-unknown", "There is no such request, or it is not yours to see"


class ClientRequestDecided(Conflict):
    slug, title = "client-request-decided", "The request was decided already"


class ClientRequestWaits(Conflict):
    slug, title = "client-request-waits", "A request for this name waits for a decision"


async def ask_client(
    session: AsyncSession, desk: Desk, *, wanted: ApplicationRegister
) -> ClientRequest:
    """Raises `OwnAgencyOnly`, `AgencyUnknown`, `ClientRequestWaits`."""
    if not access.may_ask_for(desk.caller, wanted.agency):
        raise OwnAgencyOnly("Ask for a client of your own agency.")
    await require_in_force(session, slug=wanted.agency, on=desk.today)
    row = ClientRequest(
        id=uuid7(),
        agency=wanted.agency,
        name=wanted.name,
        wanted=wanted.model_dump(mode="json", exclude_unset=True),
        state=REQUESTED,
        asked_by=desk.actor,
        asked_by_system_of=system_of(desk.caller),
        requested_at=desk.now,
    )
    await insert_once(session, row, ClientRequestWaits("Wait for its decision."))
    await _told(session, desk, row, events.REQUESTED)
    return row


async def _told(session: AsyncSession, desk: Desk, row: ClientRequest, kind: str) -> None:
    data: dict[str, object] = {
        "request_id": str(row.id),
        "agency": row.agency,
        "application": row.name,
        "asked_by": row.asked_by,
        "application_id": str(row.application_id) if row.application_id else None,
    }
    await tell(session, desk, kind=kind, subject=str(row.id), data=data)


async def decide_client(
    session: AsyncSession,
    desk: Desk,
    *,
    instance: str,
    request_id: UUID,
    is_approved: bool,
    reason: str,
) -> ClientRequest:
    """Registers what was asked for as it was asked.

    Raises `ApproversOnly`, `OwnRequest`, `ClientRequestUnknown`, `ClientRequestDecided`, and what
    `register_application` raises.
    """
    if not access.may_approve(desk.caller):
        raise ApproversOnly("It needs scope identity.clients.")
    row = await store.lock(session, desk.caller, request_id)
    if row is None:
        raise ClientRequestUnknown("Look it up under /v1/client-requests.")
    if row.state != REQUESTED:
        raise ClientRequestDecided(f"It is {row.state}.")
    if are_one_hand(desk.caller, row.asked_by, row.asked_by_system_of):
        raise OwnRequest("Who asks for a client does not approve it, nor a system of its agency.")
    made = await _register(session, desk, row, instance) if is_approved else None
    row.application_id = made
    row.state = APPROVED if is_approved else REFUSED
    row.reason, row.decided_by, row.decided_at = reason, desk.actor, desk.now
    await session.flush()
    await _told(session, desk, row, events.APPROVED if is_approved else events.REFUSED)
    return row


async def _register(session: AsyncSession, desk: Desk, row: ClientRequest, instance: str) -> UUID:
    """Two have agreed: together they hold what an operator holds."""
    caller = replace(desk.caller, scopes=desk.caller.scopes | {OPERATE})
    authority = Authority(caller, desk.clock, instance, is_agreed=True)
    wanted = ApplicationRegister.model_validate(row.wanted)
    return (await register_application(session, authority, wanted=wanted)).id


async def list_requests(
    session: AsyncSession, *, caller: Caller, state: str | None, after: UUID | None, limit: int
) -> Sequence[ClientRequest]:
    return await store.page(session, caller, state, after, limit)
