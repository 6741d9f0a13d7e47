"""HTTP of groups of consumers: `/v1/groups`."""

from collections.abc import Sequence
from uuid import UUID

from fastapi import APIRouter
from sebalai_shared.idempotency import Idempotent
from sebalai_shared.pagination import CursorText, Limit, Page, decode_cursor, page
from sebalai_shared.problems import responses
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_exchange.given import Asked
from sebalai_exchange.groups import actions
from sebalai_exchange.groups.actions import (
    GroupExists,
    GroupFull,
    GroupUnknown,
    NotInvited,
    NotTheOwner,
)
from sebalai_exchange.groups.model import ConsumerGroup, GroupMember
from sebalai_exchange.groups.schema import GroupMemberRead, GroupRead, GroupWanted, MemberWanted
from sebalai_exchange.inputs import INPUT
from sebalai_exchange.telling import Told

router = APIRouter(prefix="/v1/groups", tags=["groups"], responses=INPUT, dependencies=[Told])


def _read(group: ConsumerGroup, members: Sequence[GroupMember]) -> GroupRead:
    return GroupRead(
        id=group.id,
        name=group.name,
        owner=group.owner,
        title=group.title,
        made_at=group.made_at,
        members=[
            GroupMemberRead.model_validate(member, from_attributes=True) for member in members
        ],
    )


async def _whole(session: AsyncSession, group: ConsumerGroup) -> GroupRead:
    return _read(group, (await actions.members_of(session, groups=[group]))[group.id])


@router.post("", status_code=201, responses=responses(NotTheOwner, GroupExists))
async def make_group(given: Asked, once: Idempotent, wanted: GroupWanted) -> GroupRead:
    async def make() -> GroupRead:
        made = await actions.make_group(
            given.session, given.clock, caller=given.caller, wanted=wanted
        )
        return _read(made, [])

    answer = await once.answer(given.session, GroupRead, make)
    given.response.headers["Location"] = f"/v1/groups/{answer.id}"
    return answer


@router.get("")
async def list_groups(
    given: Asked, cursor: CursorText = None, limit: Limit = 20
) -> Page[GroupRead]:
    after = decode_cursor(cursor, 1)
    rows = await actions.list_groups(
        given.session, caller=given.caller, after=str(after[0]) if after else None, limit=limit
    )
    members = await actions.members_of(given.session, groups=rows)
    return page(rows, limit, lambda row: _read(row, members[row.id]), lambda row: [row.name])


@router.get("/{group_id}", responses=responses(GroupUnknown))
async def read_group(given: Asked, group_id: UUID) -> GroupRead:
    group = await actions.find_group(given.session, caller=given.caller, group_id=group_id)
    return await _whole(given.session, group)


@router.post("/{group_id}/invite", responses=responses(GroupUnknown, NotTheOwner, GroupFull))
async def invite_member(given: Asked, group_id: UUID, wanted: MemberWanted) -> GroupRead:
    group = await actions.invite_member(
        given.session,
        given.clock,
        caller=given.caller,
        group_id=group_id,
        application=wanted.application,
    )
    return await _whole(given.session, group)


@router.post("/{group_id}/join", responses=responses(NotInvited))
async def join_group(given: Asked, group_id: UUID) -> GroupRead:
    """As the invited application."""
    group = await actions.join_group(
        given.session, given.clock, caller=given.caller, group_id=group_id
    )
    return await _whole(given.session, group)


@router.post("/{group_id}/remove", responses=responses(GroupUnknown, NotTheOwner))
async def remove_member(given: Asked, group_id: UUID, wanted: MemberWanted) -> GroupRead:
    """By the group's owner, or by the member itself."""
    group = await actions.remove_member(
        given.session,
        given.clock,
        caller=given.caller,
        group_id=group_id,
        application=wanted.application,
    )
    return await _whole(given.session, group)
