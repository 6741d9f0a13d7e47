"""The adapter between SCIM's protocol (scim2-server) and this slice: resources to rows and back.

The protocol parses, patches and answers; `actions` decide; what lies between is only shape.
"""

from collections.abc import Awaitable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar
from uuid import UUID

from scim2_models import (
    InvalidValueException,
    Meta,
    NotFoundException,
    PreconditionFailedException,
    Resource,
    ResourceType,
    ResponseParameters,
    SearchRequest,
    TooManyException,
    UniquenessException,
)
from scim2_models.path import CompareOperator, Comparison
from scim2_server.memory import InMemoryStorage
from scim2_server.service import ScimService
from scim2_server.storage import AsyncScimStorage, SearchPage
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.desk import Desk
from sebalai_identity.scim import actions, store
from sebalai_identity.scim.actions import MemberUnknown, NameIsNumber, NameTaken, Profile
from sebalai_identity.scim.model import ScimGroup, ScimUser
from sebalai_identity.scim.schema import RESULTS_MAX, CivilServant
from sebalai_identity.scim.shown import UNIT, Shown

USER, GROUP = "User", "Group"
MEMBERS_MAX = 5_000
NAME_MAX = 200

Answer = TypeVar("Answer")


async def _as_scim(work: Awaitable[Answer]) -> Answer:
    """Our refusals as SCIM's."""
    try:
        return await work
    except NameTaken as problem:
        raise UniquenessException(detail=problem.detail) from None
    except (NameIsNumber, MemberUnknown) as problem:
        raise InvalidValueException(detail=problem.detail) from None


def _text(value: str | None, field: str) -> str:
    text = (value or "").strip()
    if not text or len(text) > NAME_MAX or "\x00" in text:
        raise InvalidValueException(detail=f"{field}: 1 to {NAME_MAX} characters, no NUL.")
    return text


def profile_of(resource: Any) -> Profile:
    """Raises `InvalidValueException`."""
    form: dict[str, Any] = resource.model_dump()
    if "\\u0000" in resource.model_dump_json():
        raise InvalidValueException(detail="No text may hold a NUL.")
    for name in ("id", "meta", "groups", "schemas", str(CivilServant.__schema__)):
        form.pop(name, None)
    servant = resource[CivilServant]
    if servant is not None and servant.unit is not None:
        form[UNIT] = servant.unit
    user_name = _text(resource.user_name, "userName")
    return Profile(
        user_name=user_name,
        name=_text(resource.display_name or _full_name(resource.name) or user_name, "displayName"),
        is_active=resource.active is not False,
        external_id=resource.external_id,
        attributes=form,
    )


def _full_name(name: Any) -> str | None:
    if name is None:
        return None
    parts = [part for part in (name.given_name, name.family_name) if part]
    return name.formatted or " ".join(parts) or None


def _uuid(text: str | None, kind: str) -> UUID:
    try:
        return UUID(text or "")
    except ValueError:
        raise NotFoundException(detail=f"{kind} not found") from None


def _members(resource: Any) -> set[UUID]:
    members = resource.members or []
    if len(members) > MEMBERS_MAX:
        raise InvalidValueException(detail=f"At most {MEMBERS_MAX} members.")
    try:
        return {UUID(one.value) for one in members}
    except (TypeError, ValueError):
        raise InvalidValueException(detail="A member's value is the id of a user.") from None


def _require_version(version: int, expected: str | None) -> None:
    if expected is not None and expected != etag(version):
        raise PreconditionFailedException


def etag(version: int) -> str:
    return f'W/"{version}"'


def meta_of(kind: str, row: ScimUser | ScimGroup) -> Meta:
    return Meta(
        resource_type=kind,
        created=row.created_at,
        last_modified=row.changed_at,
        version=etag(row.version),
    )


class AgencyStorage(AsyncScimStorage):
    """The users and groups of the caller's agency, in the request's own transaction."""

    def __init__(self, session: AsyncSession, desk: Desk, service: ScimService) -> None:
        self._session, self._desk, self._service = session, desk, service
        self._agency = desk.caller.agency or ""

    def operation(self) -> AbstractAsyncContextManager[Any]:
        """A savepoint: a failed operation leaves nothing, and the next of a bulk goes on."""
        return self._session.begin_nested()

    def _model(self, kind: str) -> type[Resource[Any]]:
        return self._service.get_model(self._service.get_resource_type(kind))

    async def _users(self, rows: Sequence[ScimUser]) -> list[Resource[Any]]:
        shown = await Shown.of(self._session, self._desk, [row.person_id for row in rows])
        model = self._model(USER)
        return [
            model.model_validate(shown.form(row) | {"meta": meta_of(USER, row).model_dump()})
            for row in rows
        ]

    async def _groups(self, rows: Sequence[ScimGroup]) -> list[Resource[Any]]:
        found = await store.memberships(self._session, of_groups=[row.id for row in rows])
        members: dict[UUID, list[dict[str, str]]] = {row.id: [] for row in rows}
        for one in found:
            value = str(one.person_id)
            members[one.group_id].append({"value": value, "$ref": f"Users/{value}", "type": USER})
        model = self._model(GROUP)
        forms = [
            {
                "schemas": [str(model.__schema__)],
                "id": str(row.id),
                "externalId": row.external_id,
                "displayName": row.display_name,
                "members": members[row.id] or None,
                "meta": meta_of(GROUP, row).model_dump(),
            }
            for row in rows
        ]
        return [
            model.model_validate({name: value for name, value in form.items() if value is not None})
            for form in forms
        ]

    async def _user(self, resource_id: str | None, *, lock: bool = False) -> ScimUser:
        person_id = _uuid(resource_id, USER)
        row = await store.user(self._session, self._agency, person_id, lock=lock)
        if row is None:
            raise NotFoundException(detail="User not found")
        return row

    async def _group(self, resource_id: str | None, *, lock: bool = False) -> ScimGroup:
        group_id = _uuid(resource_id, GROUP)
        row = await store.group(self._session, self._agency, group_id, lock=lock)
        if row is None:
            raise NotFoundException(detail="Group not found")
        return row

    async def get(
        self,
        resource_type: ResourceType,
        resource_id: str,
        *,
        response_parameters: ResponseParameters[Any] | None = None,
    ) -> Resource[Any]:
        del response_parameters
        if resource_type.name == USER:
            (found,) = await self._users([await self._user(resource_id)])
        else:
            (found,) = await self._groups([await self._group(resource_id)])
        return found

    async def search(
        self,
        resource_types: list[ResourceType],
        search_request: SearchRequest[Any],
        *,
        position: Any = None,
    ) -> SearchPage:
        """A list page by page in SQL; a filter or an order of its own walks what SQL narrowed down
        to SEARCHED_MAX at most.
        """
        if len(resource_types) == 1 and not (search_request.filter or search_request.sort_by):
            return await self._listed(str(resource_types[0].name), search_request)
        found: list[Resource[Any]] = []
        for name in {one.name for one in resource_types}:
            found += await self._searched(str(name), search_request)
        if len(found) > store.SEARCHED_MAX:
            raise TooManyException(detail=f"More than {store.SEARCHED_MAX}; narrow the search.")
        memory = InMemoryStorage()
        memory.resources = found
        return memory.search(resource_types, search_request, position=position)

    async def _listed(self, kind: str, request: SearchRequest[Any]) -> SearchPage:
        start = request.start_index_0 or 0
        count = RESULTS_MAX if request.count is None else request.count
        if kind == GROUP:
            every = store.groups_visible_to(self._agency)
            total, rows = await store.listed(self._session, every, ScimGroup.id, start, count)
            return SearchPage(total, await self._groups(rows))
        every = store.visible_to(self._agency)
        total, rows = await store.listed(self._session, every, ScimUser.person_id, start, count)
        return SearchPage(total, await self._users(rows))

    async def _searched(self, kind: str, request: SearchRequest[Any]) -> list[Resource[Any]]:
        if kind == GROUP:
            return await self._groups(await store.groups(self._session, self._agency))
        rows = await store.users(self._session, self._agency, _asked_name(request))
        if len(rows) > store.SEARCHED_MAX:
            raise TooManyException(detail=f"More than {store.SEARCHED_MAX}; narrow the search.")
        return await self._users(rows)

    async def create(self, resource_type: ResourceType, resource: Resource[Any]) -> Resource[Any]:
        if resource_type.name == USER:
            row = await _as_scim(
                actions.create_user(self._session, self._desk, profile=profile_of(resource))
            )
            return await self.get(resource_type, str(row.person_id))
        sent: Any = resource
        group = await _as_scim(
            actions.create_group(
                self._session,
                self._desk,
                display_name=_text(sent.display_name, "displayName"),
                external_id=sent.external_id,
                members=_members(sent),
            )
        )
        return await self.get(resource_type, str(group.id))

    async def update(
        self,
        resource_type: ResourceType,
        resource: Resource[Any],
        *,
        expected_version: str | None = None,
    ) -> Resource[Any]:
        sent: Any = resource
        if resource_type.name == USER:
            row = await self._user(resource.id, lock=True)
            _require_version(row.version, expected_version)
            profile = profile_of(sent)
            await _as_scim(actions.update_user(self._session, self._desk, row=row, profile=profile))
        else:
            group = await self._group(resource.id, lock=True)
            _require_version(group.version, expected_version)
            await _as_scim(
                actions.update_group(
                    self._session,
                    self._desk,
                    row=group,
                    display_name=_text(sent.display_name, "displayName"),
                    external_id=sent.external_id,
                    members=_members(sent),
                )
            )
        return await self.get(resource_type, str(resource.id))

    async def delete(
        self,
        resource_type: ResourceType,
        resource_id: str,
        *,
        expected_version: str | None = None,
    ) -> None:
        if resource_type.name == USER:
            row = await self._user(resource_id, lock=True)
            _require_version(row.version, expected_version)
            await actions.delete_user(self._session, self._desk, row=row)
        else:
            group = await self._group(resource_id, lock=True)
            _require_version(group.version, expected_version)
            await actions.delete_group(self._session, self._desk, row=group)


def _asked_name(request: SearchRequest[Any]) -> tuple[str, str] | None:
    """What the commonest searches ask, `userName eq "…"` and `externalId eq "…"`: SQL answers."""
    node = request.filter.ast if request.filter is not None else None
    if not isinstance(node, Comparison) or node.op != CompareOperator.eq:
        return None
    name, value = str(node.attr_path).lower(), node.value
    # What PostgreSQL keeps in no text is nobody's name either.
    is_text = isinstance(value, str) and value.isprintable()
    return (name, value) if name in store.NAMES and is_text else None
