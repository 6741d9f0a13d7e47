"""Requests for a client: asked by an agency, decided by somebody else, then registered."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sebalai_shared.caller import OPERATE, Caller
from sebalai_shared.ids import uuid7
from sebalai_shared.problems import Conflict, Forbidden, NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.acts.actions import note, tell
from sebalai_identity.agencies.actions import require_in_force
from sebalai_identity.applications.actions import (
    ApplicationRegister,
    Authority,
    ClientRegister,
    PublicKey,
    granted_scopes,
    register_application,
    register_client,
    shown_client,
)
from sebalai_identity.client_requests import access, events, store
from sebalai_identity.client_requests.model import (
    APPROVED,
    REFUSED,
    REQUESTED,
    WITHDRAWN,
    ClientRequest,
)
from sebalai_identity.desk import Desk
from sebalai_identity.duties import system_of
from sebalai_identity.rows import insert_once

__all__ = ["ClientRequest"]


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


@dataclass(frozen=True)
class Asker:
    """Who stands behind a request; `system_of`: the agency whose system it was (`duties`);
    `handed_to`: who was given the token that a client registers with.
    """

    subject: str
    system_of: str | None
    handed_to: str | None = None


@dataclass(frozen=True)
class Registration:
    """A client that registers itself, with the id it was told and the keys it published."""

    client_id: UUID
    wanted: ClientRegister
    keys: tuple[PublicKey, ...]


async def ask_client(
    session: AsyncSession, desk: Desk, *, wanted: ApplicationRegister
) -> ClientRequest:
    """Raises `OwnAgencyOnly`, `AgencyUnknown`, `ClientRequestWaits`."""
    decision = access.asking(desk.caller, wanted.agency)
    if not decision.is_allowed:
        raise OwnAgencyOnly("Ask for a client of your own agency.", rule=decision.rule)
    await require_in_force(session, slug=wanted.agency, on=desk.today)
    row = _row(desk, wanted, Asker(desk.actor, system_of(desk.caller)))
    return await _asked(session, desk, row)


async def ask_registration(
    session: AsyncSession, desk: Desk, *, registration: Registration, asker: Asker
) -> ClientRequest:
    """For a client at the registration endpoint. Raises `AgencyUnknown`, `ClientRequestWaits`."""
    wanted = registration.wanted
    await require_in_force(session, slug=wanted.agency, on=desk.today)
    row = _row(desk, wanted, asker)
    row.client_id = registration.client_id
    row.keys = [key.model_dump(exclude_none=True) for key in registration.keys]
    return await _asked(session, desk, row)


def _row(desk: Desk, wanted: ApplicationRegister, asker: Asker) -> ClientRequest:
    return ClientRequest(
        id=uuid7(),
        agency=wanted.agency,
        name=wanted.name,
        wanted=wanted.model_dump(mode="json", exclude_unset=True),
        state=REQUESTED,
        asked_by=asker.subject,
        asked_by_system_of=asker.system_of,
        handed_to=asker.handed_to,
        requested_at=desk.now,
    )


async def _asked(session: AsyncSession, desk: Desk, row: ClientRequest) -> ClientRequest:
    await insert_once(session, row, ClientRequestWaits("Wait for its decision."))
    await _told(session, desk, row, events.REQUESTED)
    return row


async def find_request(session: AsyncSession, *, request_id: UUID) -> ClientRequest | None:
    """Whoever's: for the registration it belongs to, which shows its own state alone."""
    return await store.find(session, request_id)


async def withdraw_request(session: AsyncSession, desk: Desk, *, request_id: UUID) -> None:
    """By the client it is for; what was decided already stays so."""
    row = await store.lock_waiting(session, request_id)
    if row is None:
        return
    row.state, row.decided_by, row.decided_at = WITHDRAWN, desk.actor, desk.now
    await session.flush()
    await _told(session, desk, row, events.RETRACTED)


async def asked_since(session: AsyncSession, *, client_id: UUID, since: datetime) -> int:
    """How often a client has asked."""
    return await store.asked_since(session, client_id, since)


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
    """Registers what was asked for as it was asked. The later wish of a client that registered
    itself stays `requested` until a second has approved it.

    Raises `ApproversOnly`, `OwnRequest`, `ClientRequestUnknown`, `ClientRequestDecided`, and what
    `register_application` raises.
    """
    decision = access.approving(desk.caller)
    if not decision.is_allowed:
        raise ApproversOnly("It needs scope identity.clients.", rule=decision.rule)
    row = await store.lock(session, desk.caller, request_id)
    if row is None:
        raise ClientRequestUnknown("Look it up under /v1/client-requests.")
    if row.state != REQUESTED:
        raise ClientRequestDecided(f"It is {row.state}.")
    decision = access.deciding(desk.caller, row)
    if not decision.is_allowed:
        raise OwnRequest(
            "Who asks for a client does not approve it, nor who was handed the token it registers"
            " with, nor a system of the agency whose system asked.",
            rule=decision.rule,
        )
    if is_approved and await _is_first_of_two(session, desk, row):
        return row
    made = await _register(session, desk, row, instance) if is_approved else None
    row.application_id = made
    row.state = APPROVED if is_approved else REFUSED
    row.reason, row.decided_by, row.decided_at = reason, desk.actor, desk.now
    await session.flush()
    await _told(session, desk, row, events.APPROVED if is_approved else events.REFUSED)
    return row


async def _is_first_of_two(session: AsyncSession, desk: Desk, row: ClientRequest) -> bool:
    """Nobody can tell who holds the token of a registration: it may be the very approver, and who
    issued its initial token has not asked for what the client wants later. Raises `OwnRequest`.
    """
    if row.client_id is None or not await granted_scopes(session, client_id=row.client_id):
        return False
    if row.confirmed_by is None:
        row.confirmed_by, row.confirmed_by_system_of = desk.actor, system_of(desk.caller)
        await session.flush()
        await note(session, desk, act=events.CONFIRMED, subject=str(row.id))
        return True
    decision = access.confirming(desk.caller, row)
    if not decision.is_allowed:
        raise OwnRequest(
            "Two approve what a registered client wants later; you are the first.",
            rule=decision.rule,
        )
    return False


async def _register(session: AsyncSession, desk: Desk, row: ClientRequest, instance: str) -> UUID:
    authority = agreed(desk, instance)
    if row.client_id is None:
        wanted = ApplicationRegister.model_validate(row.wanted)
        return (await register_application(session, authority, wanted=wanted)).id
    wanted = ClientRegister.model_validate(row.wanted)
    keys = [PublicKey.model_validate(key) for key in row.keys or ()]
    held = (await shown_client(session, client_id=row.client_id)).jwks_uri
    if held is not None and held == wanted.client.jwks_uri:
        # What stands there was read anew since the wish was made.
        keys = []
    made = await register_client(
        session, authority, client_id=row.client_id, wanted=wanted, keys=keys
    )
    return made.id


def agreed(desk: Desk, instance: str) -> Authority:
    """Two have agreed: together they hold what an operator holds."""
    caller = replace(desk.caller, scopes=desk.caller.scopes | {OPERATE})
    return Authority(caller, desk.clock, instance, is_agreed=True)


async def list_requests(
    session: AsyncSession, *, caller: Caller, state: str | None, after: UUID | None, limit: int
) -> Sequence[ClientRequest]:
    return await store.page(session, caller, state, after, limit)
