"""Clients that register themselves and keep their registration (RFC 7591, 7592). What they want is
in force once another than who issued their initial token has approved it (`client_requests`); a
later wish that widens it waits for two approvals, while what was agreed on goes on.
"""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.ids import uuid7
from sebalai_shared.problems import Conflict
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.acts.actions import tell
from sebalai_identity.applications.actions import (
    ClientRegister,
    ClientSettings,
    PublicKey,
    end_application,
    granted_scopes,
    register_client,
)
from sebalai_identity.client_requests import actions as requests
from sebalai_identity.client_requests.actions import Asker, ClientRequest, Registration
from sebalai_identity.desk import Desk
from sebalai_identity.names import slug_of
from sebalai_identity.registrations import access, events, store
from sebalai_identity.registrations.model import ClientRegistration, InitialToken
from sebalai_identity.registrations.schema import Plan
from sebalai_identity.registrations.tokens import SECRET_BYTES

__all__ = ["InitialToken", "Plan"]

ASKED_A_DAY_MAX = 20
REQUESTED, APPROVED, REFUSED = "requested", "approved", "refused"
SLUG_PART = 27


class MandateRevoked(Conflict):
    slug, title = "initial-token-revoked", "The initial token of this client was revoked"


class AskedTooOften(Exception):
    """More changes that wait for approval than ASKED_A_DAY_MAX in a day."""


@dataclass(frozen=True)
class Registered:
    """`plan`: what is in force, or waits for its first approval; `change` the state of a later
    wish, None where there is none; `token` as it must be shown from now on.
    """

    client_id: UUID
    plan: Plan
    state: str
    change: str | None
    reason: str | None
    registered_at: datetime
    token: str


@dataclass(frozen=True)
class Waiting:
    """A client without approval: how it would prove itself, and `requested` or `refused`."""

    client: ClientSettings
    keys: tuple[PublicKey, ...]
    state: str


async def open_token(session: AsyncSession, clock: Clock, *, secret: str) -> InitialToken | None:
    """None for one that is unknown, ended, revoked or used up."""
    return await store.find_token(session, secret, clock.now())


async def register(
    session: AsyncSession, clock: Clock, *, token: InitialToken, plan: Plan
) -> Registered | None:
    """None when others used the token up meanwhile. Raises `AgencyUnknown`."""
    if not await store.take_one(session, token.id, clock.now()):
        return None
    client_id, secret = uuid7(), _secret()
    desk = _desk(str(token.id), token.agency, clock)
    row = ClientRegistration(
        client_id=client_id,
        agency=token.agency,
        name=_name(plan, client_id),
        initial_token_id=token.id,
        digest=store.digest_of(secret),
        waiting=plan.document(),
        registered_at=desk.now,
        changed_at=desk.now,
    )
    request = await _ask(session, desk, row, plan, token)
    row.request_id = request.id
    session.add(row)
    await session.flush()
    return _registered(row, request, plan, secret)


def _secret() -> str:
    return f"rat_{secrets.token_urlsafe(SECRET_BYTES)}"


def _desk(actor: str, agency: str, clock: Clock) -> Desk:
    return Desk(Caller(kind="system", subject=actor, agency=agency), clock)


def _name(plan: Plan, client_id: UUID) -> str:
    """A slug that tells people which it is; the end keeps it single in its agency."""
    try:
        told = slug_of((plan.client.name_in("id") or "client")[:SLUG_PART])
    except ValueError:
        told = "client"
    return f"{told}-{client_id.hex[-12:]}"


async def _ask(
    session: AsyncSession, desk: Desk, row: ClientRegistration, plan: Plan, token: InitialToken
) -> ClientRequest:
    return await requests.ask_registration(
        session,
        desk,
        registration=Registration(row.client_id, _wanted(row, plan), plan.keys),
        asker=Asker(token.issued_by, token.issued_by_system_of, token.handed_to),
    )


def _wanted(row: ClientRegistration, plan: Plan) -> ClientRegister:
    document = {
        "agency": row.agency,
        "name": row.name,
        "scopes": sorted(plan.scopes),
        "client": plan.client.model_dump(mode="json"),
    }
    return ClientRegister.model_validate(document)


async def read_registration(
    session: AsyncSession, *, client_id: UUID, secret: str
) -> Registered | None:
    """None unless it is the registration access token of that client. The use of a new one ends the
    one before.
    """
    row = await store.find(session, client_id, secret)
    if row is None:
        return None
    if row.digest == store.digest_of(secret):
        row.previous_digest = None
        await session.flush()
    request = await _request(session, row)
    plan = await _in_force(session, row, request) or Plan.read(row.waiting or {})
    return _registered(row, request, plan, secret)


async def _request(session: AsyncSession, row: ClientRegistration) -> ClientRequest:
    found = await requests.find_request(session, request_id=row.request_id)
    assert found is not None  # noqa: S101 - a foreign key
    return found


async def _in_force(
    session: AsyncSession, row: ClientRegistration, request: ClientRequest
) -> Plan | None:
    """What was agreed on last, without scopes an operator took away since."""
    is_new = row.waiting is not None and request.state == APPROVED
    document = row.waiting if is_new else row.in_force
    if document is None:
        return None
    plan = Plan.read(document)
    held = await granted_scopes(session, client_id=row.client_id)
    return replace(plan, scopes=plan.scopes & held)


def _registered(
    row: ClientRegistration, request: ClientRequest, plan: Plan, secret: str
) -> Registered:
    is_agreed = row.in_force is not None or request.state == APPROVED
    waits = row.waiting is not None and request.state in (REQUESTED, REFUSED)
    return Registered(
        client_id=row.client_id,
        plan=plan,
        state=APPROVED if is_agreed else request.state,
        change=request.state if is_agreed and waits else None,
        reason=request.reason if request.state == REFUSED and waits else None,
        registered_at=row.registered_at,
        token=secret,
    )


async def change_registration(
    session: AsyncSession, clock: Clock, instance: str, *, client_id: UUID, secret: str, plan: Plan
) -> Registered | None:
    """RFC 7592 section 2.2, with a new registration access token. None as `read_registration`.

    Raises `AskedTooOften`, `MandateRevoked`, `AgencyUnknown`, `KeyEnded`, `KeysFull`.
    """
    row = await store.lock(session, client_id, secret)
    if row is None:
        return None
    desk, fresh = _desk(str(client_id), row.agency, clock), _secret()
    await requests.withdraw_request(session, desk, request_id=row.request_id)
    request = await _request(session, row)
    old = await _in_force(session, row, request)
    row.in_force, row.waiting = old.document() if old else None, None
    if old is None or access.widens(old, plan):
        request = await _wish(session, desk, row, plan)
    else:
        await _apply(session, desk, instance, row, plan)
        old = plan
    # What the client sent with stays good until it uses the new one: this answer may be lost.
    row.previous_digest, row.digest = store.digest_of(secret), store.digest_of(fresh)
    row.changed_at = desk.now
    await session.flush()
    return _registered(row, request, old or plan, fresh)


async def _wish(
    session: AsyncSession, desk: Desk, row: ClientRegistration, plan: Plan
) -> ClientRequest:
    since = desk.now - timedelta(days=1)
    asked = await requests.asked_since(session, client_id=row.client_id, since=since)
    if asked >= ASKED_A_DAY_MAX:
        raise AskedTooOften
    token = await session.get_one(InitialToken, row.initial_token_id)
    if token.revoked_at is not None:
        raise MandateRevoked("Nobody asks for more in its name; register anew by another token.")
    request = await _ask(session, desk, row, plan, token)
    row.request_id, row.waiting = request.id, plan.document()
    return request


async def _apply(
    session: AsyncSession, desk: Desk, instance: str, row: ClientRegistration, plan: Plan
) -> None:
    """What two agreed on holds less from now on, or other keys: the client may say so alone."""
    authority = requests.agreed(desk, instance)
    await register_client(
        session,
        authority,
        client_id=row.client_id,
        wanted=_wanted(row, plan),
        keys=plan.keys,
    )
    row.in_force = plan.document()
    data: dict[str, object] = {
        "client_id": str(row.client_id),
        "agency": row.agency,
        "application": row.name,
    }
    await tell(session, desk, kind=events.CHANGED, subject=str(row.client_id), data=data)


async def end_registration(
    session: AsyncSession, clock: Clock, *, client_id: UUID, secret: str
) -> bool:
    """RFC 7592 section 2.3: for good, its tokens at once. False as `read_registration`'s None."""
    row = await store.lock(session, client_id, secret)
    if row is None:
        return False
    desk = _desk(str(client_id), row.agency, clock)
    await requests.withdraw_request(session, desk, request_id=row.request_id)
    await end_application(session, desk, client_id=client_id, reason="taken back by its client")
    row.ended_at = desk.now
    await session.flush()
    return True


async def waiting_client(session: AsyncSession, *, client_id: UUID) -> Waiting | None:
    """None for one that was approved, has ended, or never registered itself."""
    row = await store.find_unapproved(session, client_id)
    if row is None:
        return None
    request: Any = await _request(session, row)
    if request.state == APPROVED:
        return None
    plan = Plan.read(row.waiting or {})
    return Waiting(plan.client, plan.keys, request.state)
