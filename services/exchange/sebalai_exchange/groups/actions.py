"""Decisions about groups of consumers: make, invite, join, remove."""

from collections.abc import Sequence
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.ids import uuid7
from sebalai_shared.outbox import publish
from sebalai_shared.problems import Conflict, Forbidden, NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_exchange.groups import access, events, store
from sebalai_exchange.groups.model import INVITED, JOINED, ConsumerGroup, GroupMember
from sebalai_exchange.groups.schema import GroupWanted
from sebalai_exchange.names import speaker_of

MEMBERS_MAX = 500


class GroupUnknown(NotFound):
    slug, title = "group-unknown", "There is no such group"


class NotInvited(NotFound):
    slug, title = "not-invited", "The group has not invited this application"


class NotTheOwner(Forbidden):
    slug, title = "not-the-owner", "Only the group's owner may do this"


class GroupExists(Conflict):
    slug, title = "group-exists", "There is a group of this name"


class GroupFull(Conflict):
    slug, title = "group-full", "The group has as many members as a group may have"


async def make_group(
    session: AsyncSession, clock: Clock, *, caller: Caller, wanted: GroupWanted
) -> ConsumerGroup:
    """Raises `NotTheOwner`, `GroupExists`."""
    owner = speaker_of(wanted.name)
    if not access.may_own(caller, owner):
        raise NotTheOwner(f"Call as {owner} with scope {access.MANAGE}.")
    await store.hold(session, wanted.name)
    if await store.exists(session, wanted.name):
        raise GroupExists("Look it up under /v1/groups.")
    by = str(caller.application or caller.subject)
    group = ConsumerGroup(
        id=uuid7(), name=wanted.name, owner=owner, title=wanted.title,
        made_by=by, made_at=clock.now(),
    )  # fmt: skip
    session.add(group)
    await session.flush()
    await publish(session, events.fact(events.CREATED, group, owner, by, clock))
    return group


async def invite_member(
    session: AsyncSession, clock: Clock, *, caller: Caller, group_id: UUID, application: str
) -> ConsumerGroup:
    """Inviting again changes nothing. Raises `GroupUnknown`, `NotTheOwner`, `GroupFull`."""
    group = await _to_change(session, caller, group_id)
    if not access.may_own(caller, group.owner):
        raise NotTheOwner(f"Call as {group.owner} with scope {access.MANAGE}.")
    if await store.member(session, group_id, application) is not None:
        return group
    if await store.count(session, group_id) >= MEMBERS_MAX:
        raise GroupFull(f"At most {MEMBERS_MAX} applications; make a second group.")
    by = str(caller.application or caller.subject)
    session.add(
        GroupMember(
            group_id=group_id, application=application, state=INVITED,
            invited_by=by, invited_at=clock.now(),
        )
    )  # fmt: skip
    await session.flush()
    return group


async def join_group(
    session: AsyncSession, clock: Clock, *, caller: Caller, group_id: UUID
) -> ConsumerGroup:
    """The calling application takes the invitation. Raises `GroupUnknown`, `NotInvited`."""
    group = await _to_change(session, caller, group_id)
    own = caller.application or ""
    member = await store.member(session, group_id, own) if own else None
    if member is None or not access.acts_for(caller, own):
        raise NotInvited(f"Let {group.owner} invite you, and call with scope {access.MANAGE}.")
    if member.state != JOINED:
        member.state, member.joined_at = JOINED, clock.now()
        await session.flush()
        await publish(session, events.fact(events.JOINED, group, own, own, clock))
    return group


async def remove_member(
    session: AsyncSession, clock: Clock, *, caller: Caller, group_id: UUID, application: str
) -> ConsumerGroup:
    """By the owner, or by the member itself. Raises `GroupUnknown`, `NotTheOwner`, `NotInvited`."""
    group = await _to_change(session, caller, group_id)
    if not access.may_remove(caller, group.owner, application):
        raise NotTheOwner(f"Call as {group.owner} or {application}.")
    member = await store.member(session, group_id, application)
    if member is None:
        raise NotInvited("Nothing is changed.")
    had_joined = member.state == JOINED
    await store.remove(session, group_id, application)
    if had_joined:
        by = str(caller.application or caller.subject)
        await publish(session, events.fact(events.REMOVED, group, application, by, clock))
    return group


async def _to_change(session: AsyncSession, caller: Caller, group_id: UUID) -> ConsumerGroup:
    group = await store.find(session, caller, group_id, is_to_change=True)
    if group is None:
        raise GroupUnknown("Look it up under /v1/groups.")
    return group


async def find_group(session: AsyncSession, *, caller: Caller, group_id: UUID) -> ConsumerGroup:
    group = await store.find(session, caller, group_id)
    if group is None:
        raise GroupUnknown("Look it up under /v1/groups.")
    return group


async def list_groups(
    session: AsyncSession, *, caller: Caller, after: str | None, limit: int
) -> Sequence[ConsumerGroup]:
    return await store.page(session, caller, after, limit)


async def members_of(
    session: AsyncSession, *, groups: Sequence[ConsumerGroup]
) -> dict[UUID, list[GroupMember]]:
    found: dict[UUID, list[GroupMember]] = {group.id: [] for group in groups}
    for member in await store.members(session, list(found)):
        found[member.group_id].append(member)
    return found


async def routed_groups(session: AsyncSession, *, after: int, limit: int) -> Sequence[str]:
    """Of those changed after a version (0: all): JSON for the routing snapshot (section 7)."""
    return await store.routed(session, after, limit)


async def group_exists(session: AsyncSession, *, name: str) -> bool:
    return await store.exists(session, name)


async def memberships(session: AsyncSession) -> dict[str, set[str]]:
    """The groups each application has joined, by application."""
    found: dict[str, set[str]] = {}
    for group, application in await store.joined(session):
        found.setdefault(application, set()).add(group)
    return found
