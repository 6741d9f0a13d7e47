"""Decisions about roles: ask, approve or refuse by somebody else, revoke.

An everyday role is granted by one keeper to another person; a sensitive one waits for a second.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.ids import uuid7
from sebalai_shared.problems import Conflict, FieldInvalid, Forbidden, NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.acts.actions import tell
from sebalai_identity.agencies.actions import require_in_force
from sebalai_identity.desk import Desk
from sebalai_identity.duties import system_of
from sebalai_identity.persons.actions import PersonUnknown, get_person
from sebalai_identity.revocations.actions import revoke
from sebalai_identity.roles import access, events, store
from sebalai_identity.roles.model import ACTIVE, REFUSED, REQUESTED, REVOKED, ROLES, RoleGrant
from sebalai_identity.roles.schema import GrantAsk
from sebalai_identity.roles.store import GrantFilter
from sebalai_identity.rows import insert_once

__all__ = ["GrantAsk", "GrantFilter"]

ROLE_SCOPES = frozenset[str]().union(*(role.scopes for role in ROLES.values()))
"""What tokens of persons may carry by a role, and only by one."""


class RoleKeepersOnly(Forbidden):
    slug, title = "role-keepers-only", "Only the keepers of roles may do this"


class DutiesSeparate(Forbidden):
    slug, title = "duties-separate", "Another person than you must do this"


class GrantUnknown(NotFound):
    slug, title = "role-grant-unknown", "There is no such grant, or it is not yours to see"


class GrantDecided(Conflict):
    slug, title = "role-grant-decided", "The grant is no longer in a state that allows this"


class GrantKnown(Conflict):
    slug, title = "role-grant-known", "The person has this role in that time, or it waits for one"


@dataclass(frozen=True, slots=True)
class KnownGrant:
    id: UUID
    role: str
    agency: str | None
    scopes: frozenset[str]
    valid_from: datetime
    valid_until: datetime | None


async def roles_held(
    session: AsyncSession, *, person_id: UUID, at: datetime
) -> tuple[KnownGrant, ...]:
    """For slices of identity. A role that left the catalogue opens nothing."""
    rows = await store.held(session, person_id, at)
    return tuple(
        KnownGrant(
            row.id, row.role, row.agency, ROLES[row.role].scopes, row.valid_from, row.valid_until
        )
        for row in rows
        if row.role in ROLES
    )


def _require_keeper(caller: Caller) -> None:
    if not access.may_keep(caller):
        raise RoleKeepersOnly("It needs scope identity.roles.")


async def ask_grant(session: AsyncSession, desk: Desk, *, wanted: GrantAsk) -> RoleGrant:
    """A sensitive role waits for another keeper; any other holds at once.

    Raises `RoleKeepersOnly`, `DutiesSeparate`, `PersonUnknown`, `AgencyUnknown`, `FieldInvalid`,
    `GrantKnown`.
    """
    _require_keeper(desk.caller)
    decision = access.granting(desk.caller, wanted.person_id)
    if not decision.is_allowed:
        raise DutiesSeparate(
            "Nobody grants a role to themself; ask another keeper of roles.", rule=decision.rule
        )
    fault = access.ask_fault(wanted.role, wanted.agency, wanted.valid_from, wanted.valid_until)
    if fault is not None:
        raise FieldInvalid(*fault)
    person = await get_person(session, wanted.person_id)
    if person is None or not person.is_active(desk.now):
        raise PersonUnknown("Register the person first, or reactivate them.")
    if wanted.agency is not None:
        await require_in_force(session, slug=wanted.agency, on=desk.today)
    is_waiting = ROLES[wanted.role].is_sensitive
    row = RoleGrant(
        id=uuid7(),
        state=REQUESTED if is_waiting else ACTIVE,
        asked_by=desk.actor,
        asked_by_system_of=system_of(desk.caller),
        recorded_at=desk.now,
        changed_at=desk.now,
        **wanted.model_dump(),
    )
    await insert_once(session, row, GrantKnown("Look it up under /v1/role-grants."))
    await _told(session, desk, row, events.REQUESTED if is_waiting else events.GRANTED)
    return row


async def _told(session: AsyncSession, desk: Desk, row: RoleGrant, kind: str) -> None:
    until = row.valid_until
    data: dict[str, object] = {
        "grant_id": str(row.id),
        "person_id": str(row.person_id),
        "role": row.role,
        "agency": row.agency,
        "decree": row.decree,
        "valid_from": row.valid_from.isoformat(),
        "valid_until": until.isoformat() if until is not None else None,
        "asked_by": row.asked_by,
    }
    await tell(session, desk, kind=kind, subject=str(row.id), data=data)


async def decide_grant(
    session: AsyncSession, desk: Desk, *, grant_id: UUID, is_approved: bool
) -> RoleGrant:
    """Raises `RoleKeepersOnly`, `GrantUnknown`, `GrantDecided`, `DutiesSeparate`."""
    row = await _locked(session, desk, grant_id)
    if row.state != REQUESTED:
        raise GrantDecided(f"It is {row.state}.")
    decision = access.deciding(desk.caller, row)
    if not decision.is_allowed:
        raise DutiesSeparate(
            "Neither who asked nor who would get the role decides on it.", rule=decision.rule
        )
    row.state = ACTIVE if is_approved else REFUSED
    await _changed(session, desk, row, events.GRANTED if is_approved else events.REFUSED)
    return row


async def rest_sensitive(session: AsyncSession, desk: Desk, *, person_id: UUID) -> None:
    """The caller gave the person another way to sign in, and may be who comes by it: sensitive
    roles wait for another keeper, as if the caller had asked for them.
    """
    for row in await store.lock_active(session, person_id, desk.now):
        if row.role not in ROLES or not ROLES[row.role].is_sensitive:
            continue
        row.state, row.decided_by, row.changed_at = REQUESTED, None, desk.now
        row.asked_by, row.asked_by_system_of = desk.actor, system_of(desk.caller)
        await session.flush()
        await _told(session, desk, row, events.REQUESTED)


async def revoke_grant(
    session: AsyncSession, desk: Desk, *, grant_id: UUID, reason: str
) -> RoleGrant:
    """At once, tokens of the person included. Raises `RoleKeepersOnly`, `GrantUnknown`."""
    row = await _locked(session, desk, grant_id)
    if row.state in {REQUESTED, ACTIVE}:
        row.state, row.reason = REVOKED, reason
        await revoke(session, desk.clock, kind="sub", value=row.person_id, reason="role-revoked")
        await _changed(session, desk, row, events.REVOKED)
    return row


async def _locked(session: AsyncSession, desk: Desk, grant_id: UUID) -> RoleGrant:
    _require_keeper(desk.caller)
    row = await store.lock(session, desk.caller, grant_id)
    if row is None:
        raise GrantUnknown("Look it up under /v1/role-grants.")
    return row


async def _changed(session: AsyncSession, desk: Desk, row: RoleGrant, kind: str) -> None:
    row.decided_by, row.changed_at = desk.actor, desk.now
    await session.flush()
    await _told(session, desk, row, kind)


async def list_grants(
    session: AsyncSession, *, caller: Caller, wanted: GrantFilter, after: UUID | None, limit: int
) -> Sequence[RoleGrant]:
    return await store.page(session, caller, wanted, after, limit)
