"""What the platform adds to a user on its way out: state, groups, employment and postings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.civil_servants.actions import KnownCivilServant, known_civil_servants
from sebalai_identity.desk import Desk
from sebalai_identity.persons.actions import KnownPerson, known_persons
from sebalai_identity.positions.actions import KnownPosition, known_positions
from sebalai_identity.postings.actions import KnownPosting, postings_of_people
from sebalai_identity.scim import store
from sebalai_identity.scim.model import ScimUser
from sebalai_identity.scim.schema import CivilServant, User

UNIT = "sebalai:unit"
"""Where a user's stored form keeps the one writable attribute of the extension."""


@dataclass(frozen=True)
class Shown:
    desk: Desk
    people: dict[UUID, KnownPerson]
    servants: dict[UUID, KnownCivilServant]
    postings: dict[UUID, list[KnownPosting]]
    positions: dict[UUID, KnownPosition]
    groups: dict[UUID, list[store.Membership]]

    @classmethod
    async def of(cls, session: AsyncSession, desk: Desk, ids: Sequence[UUID]) -> "Shown":
        """Five queries, whatever the number of users."""
        postings: dict[UUID, list[KnownPosting]] = {one: [] for one in ids}
        for posting in await postings_of_people(session, ids, desk.now):
            postings[posting.person_id].append(posting)
        groups: dict[UUID, list[store.Membership]] = {one: [] for one in ids}
        for row in await store.memberships(session, people=ids):
            groups[row.person_id].append(row)
        wanted = {one.position_id for held in postings.values() for one in held}
        return cls(
            desk,
            await known_persons(session, ids),
            await known_civil_servants(session, ids),
            postings,
            await known_positions(session, wanted),
            groups,
        )

    def form(self, row: ScimUser) -> dict[str, Any]:
        """The user's SCIM form, without `meta`."""
        mine = row.person_id
        form = dict(row.attributes) | {"schemas": [str(User.__schema__)], "id": str(mine)}
        unit = form.pop(UNIT, None)
        is_active = self.people[mine].is_active(self.desk.now)
        if "active" in form or not is_active:
            form["active"] = is_active
        if self.groups[mine]:
            form["groups"] = [
                {
                    "value": str(one.group_id),
                    "$ref": f"Groups/{one.group_id}",
                    "display": one.group,
                    "type": "direct",
                }
                for one in self.groups[mine]
            ]
        servant = self.servants.get(mine)
        shown = self._servant(servant) if servant is not None else {}
        shown |= {"unit": unit} if unit is not None else {}
        if shown:
            urn = str(CivilServant.__schema__)
            form["schemas"] = [*form["schemas"], urn]
            form[urn] = shown
        return form

    def _servant(self, servant: KnownCivilServant) -> dict[str, Any]:
        shown: dict[str, Any] = {"employment": servant.employment, "agency": servant.agency}
        if servant.grade is not None:
            shown["grade"] = servant.grade
        postings = [self._posting(one) for one in self.postings[servant.person_id]]
        return shown | ({"postings": postings} if postings else {})

    def _posting(self, posting: KnownPosting) -> dict[str, Any]:
        position = self.positions[posting.position_id]
        shown = {
            "value": str(posting.id),
            "position": position.code,
            "title": position.title,
            "agency": position.agency,
            "kind": posting.kind,
            "validFrom": posting.valid_from,
        }
        until = posting.valid_until
        return shown | ({"validUntil": until} if until is not None else {})
