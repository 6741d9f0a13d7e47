"""What provisioning means here: a user is a person, `active` their state, a group its members.

An agency's HR system reaches its own users alone. A person it makes has no NIK yet, so they are
sponsored: SPONSORED_FOR from the last time the system wrote them, until a keeper of people links
their NIK. Deleting a user deactivates the person; nobody is erased from the audit trail. Who serves
another agency by now is that agency's: what this one says of them changes its own list alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sebalai_shared.ids import uuid7
from sebalai_shared.problems import Problem
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.acts.actions import tell
from sebalai_identity.civil_servants.actions import get_civil_servant
from sebalai_identity.desk import Desk
from sebalai_identity.persons.actions import (
    ACTIVE,
    DEACTIVATED,
    PersonChange,
    PersonRegister,
    amend_person,
    enrol_person,
    get_person,
    switch_person,
)
from sebalai_identity.rows import insert_once
from sebalai_identity.scim import access, events, store
from sebalai_identity.scim.model import ScimGroup, ScimUser

SPONSORED_FOR = timedelta(days=366)
RENEWED_AFTER = timedelta(days=30)
REASON = "provisioning"
SOURCE = "scim"


class NameTaken(Problem):
    """Another user of the agency has this userName."""


class NameIsNumber(Problem):
    """A userName or externalId with what may be a NIK or NIP."""


class MemberUnknown(Problem):
    """No user of the agency."""


@dataclass(frozen=True)
class Profile:
    """A user as sent: `attributes` is its SCIM form without what the platform adds."""

    user_name: str
    name: str
    is_active: bool
    external_id: str | None
    attributes: Mapping[str, Any]


def _agency(desk: Desk) -> str:
    assert desk.caller.agency is not None  # noqa: S101 - `may_provision` asked for one
    return desk.caller.agency


def _require_name(profile: Profile) -> None:
    for field, name in (("userName", profile.user_name), ("externalId", profile.external_id)):
        if access.holds_number_of_person(name or ""):
            raise NameIsNumber(f"{field} must hold no NIK or NIP: it stands in addresses.")


async def create_user(session: AsyncSession, desk: Desk, *, profile: Profile) -> ScimUser:
    """Raises `NameTaken`, `NameIsNumber`."""
    _require_name(profile)
    wanted = PersonRegister(name=profile.name, valid_until=desk.now + SPONSORED_FOR)
    person = await enrol_person(session, desk, wanted=wanted, source=SOURCE)
    row = ScimUser(
        person_id=person.id,
        agency=_agency(desk),
        user_name=profile.user_name,
        external_id=profile.external_id,
        attributes=dict(profile.attributes),
        version=1,
        created_at=desk.now,
        changed_at=desk.now,
    )
    await insert_once(session, row, NameTaken("userName is taken."))
    if not profile.is_active:
        await switch_person(session, desk, person_id=person.id, state=DEACTIVATED, reason=REASON)
    await _told_user(session, desk, row.person_id, events.USER_PROVISIONED)
    return row


async def _told_user(session: AsyncSession, desk: Desk, person_id: UUID, kind: str) -> None:
    data: dict[str, object] = {"person_id": str(person_id), "agency": _agency(desk)}
    await tell(session, desk, kind=kind, subject=str(person_id), data=data)


async def update_user(
    session: AsyncSession, desk: Desk, *, row: ScimUser, profile: Profile
) -> None:
    """`row` is locked. Raises `NameTaken`, `NameIsNumber`."""
    _require_name(profile)
    row.user_name, row.external_id = profile.user_name, profile.external_id
    row.attributes = dict(profile.attributes)
    row.version += 1
    row.changed_at = desk.now
    await insert_once(session, row, NameTaken("userName is taken."))
    if not await _serves_elsewhere(session, desk, row.person_id):
        await _amend(session, desk, row.person_id, profile)
        await _switch(session, desk, row.person_id, is_active=profile.is_active)


async def _serves_elsewhere(session: AsyncSession, desk: Desk, person_id: UUID) -> bool:
    servant = await get_civil_servant(session, person_id)
    if servant is None or servant.agency == _agency(desk):
        return False
    return servant.valid_until is None or servant.valid_until > desk.now


async def _switch(session: AsyncSession, desk: Desk, person_id: UUID, *, is_active: bool) -> None:
    person = await get_person(session, person_id)
    assert person is not None  # noqa: S101 - a foreign key holds it
    # Whom the province deactivated stays so, whatever an HR system says of them.
    if person.state == DEACTIVATED and person.reason != REASON:
        return
    state = ACTIVE if is_active else DEACTIVATED
    await switch_person(session, desk, person_id=person_id, state=state, reason=REASON)


async def _amend(session: AsyncSession, desk: Desk, person_id: UUID, profile: Profile) -> None:
    person = await get_person(session, person_id)
    assert person is not None  # noqa: S101 - a foreign key holds it
    wanted = PersonChange(name=profile.name)
    until = person.valid_until
    if until is not None and until < desk.now + SPONSORED_FOR - RENEWED_AFTER:
        wanted = PersonChange(name=profile.name, valid_until=desk.now + SPONSORED_FOR)
    await amend_person(session, desk, person_id=person_id, wanted=wanted)


async def delete_user(session: AsyncSession, desk: Desk, *, row: ScimUser) -> None:
    await store.leave_groups(session, row.person_id)
    await session.delete(row)
    if not await _serves_elsewhere(session, desk, row.person_id):
        await _switch(session, desk, row.person_id, is_active=False)
    await _told_user(session, desk, row.person_id, events.USER_DEPROVISIONED)


async def create_group(
    session: AsyncSession,
    desk: Desk,
    *,
    display_name: str,
    external_id: str | None,
    members: set[UUID],
) -> ScimGroup:
    """Raises `MemberUnknown`."""
    await _require_members(session, desk, members)
    row = ScimGroup(
        id=uuid7(),
        agency=_agency(desk),
        display_name=display_name,
        external_id=external_id,
        version=1,
        created_at=desk.now,
        changed_at=desk.now,
    )
    session.add(row)
    await session.flush()
    await store.touch_users(session, await store.set_members(session, row.id, members))
    await _told_group(session, desk, row, events.GROUP_CREATED)
    return row


async def _require_members(session: AsyncSession, desk: Desk, members: set[UUID]) -> None:
    if members - await store.known(session, _agency(desk), members):
        raise MemberUnknown("A member is not a user of this agency.")


async def _told_group(session: AsyncSession, desk: Desk, row: ScimGroup, kind: str) -> None:
    data: dict[str, object] = {"group_id": str(row.id), "agency": row.agency}
    await tell(session, desk, kind=kind, subject=str(row.id), data=data)


async def update_group(
    session: AsyncSession,
    desk: Desk,
    *,
    row: ScimGroup,
    display_name: str,
    external_id: str | None,
    members: set[UUID],
) -> None:
    """`row` is locked. Raises `MemberUnknown`."""
    await _require_members(session, desk, members)
    touched = await store.set_members(session, row.id, members)
    if row.display_name != display_name:
        touched |= members
    row.display_name, row.external_id = display_name, external_id
    row.version += 1
    row.changed_at = desk.now
    await session.flush()
    await store.touch_users(session, touched)
    await _told_group(session, desk, row, events.GROUP_CHANGED)


async def delete_group(session: AsyncSession, desk: Desk, *, row: ScimGroup) -> None:
    await store.touch_users(session, await store.set_members(session, row.id, set()))
    await session.delete(row)
    await session.flush()
    await _told_group(session, desk, row, events.GROUP_DELETED)
