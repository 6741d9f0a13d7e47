"""What a person may act as at an instant, and until when: for tokens and for whoever must know.

Gathers the facts; the rule itself is pure (`access.authority`). A token that acts by a posting must
not live longer than `Authority.end_of_posting`.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sebalai_shared.problems import Forbidden
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.agencies.actions import periods
from sebalai_identity.authority.access import (
    ALWAYS,
    Authority,
    BusinessFact,
    DelegationFact,
    Facts,
    PersonFact,
    PostingFact,
    RoleFact,
    Span,
    authority,
    meet,
)
from sebalai_identity.businesses.actions import represented_by
from sebalai_identity.civil_servants.actions import KnownCivilServant, known_civil_servants
from sebalai_identity.desk import Desk
from sebalai_identity.persons.actions import (
    PersonUnknown,
    get_person,
    is_self,
    known_persons,
    may_keep_people,
)
from sebalai_identity.positions.actions import KnownPosition, known_positions
from sebalai_identity.postings.actions import Held, KnownDelegation, KnownPosting, held_by
from sebalai_identity.roles.actions import KnownGrant, roles_held

__all__ = ["Authority"]


class NotYoursToAsk(Forbidden):
    slug, title = "authority-not-yours", "The authority of another person is not yours to ask"


async def authority_at(session: AsyncSession, *, person_id: UUID, at: datetime) -> Authority | None:
    """None when there is no such person. For slices of identity: tokens are capped by it.

    `at` may lie in the past, whose facts stay; or ahead, as things are known now.
    """
    person = await get_person(session, person_id)
    if person is None:
        return None
    held = await held_by(session, person_id=person_id, at=at)
    build = await _builder(session, held, at)
    postings = [build.posting(row) for row in held.postings]
    facts = Facts(
        person=PersonFact(person.id, person.is_active(at), Span(end=person.valid_until)),
        postings=postings,
        delegations=build.delegations({one.id: one for one in postings}),
        roles=await _roles(session, person_id, at),
        businesses=[
            BusinessFact(
                one.id,
                one.business_id,
                one.capacity,
                one.matters,
                Span(one.valid_from, one.valid_until),
            )
            for one in await represented_by(session, person_id=person_id, at=at)
        ],
    )
    return authority(facts, at)


async def _roles(session: AsyncSession, person_id: UUID, at: datetime) -> list[RoleFact]:
    held = await roles_held(session, person_id=person_id, at=at)
    agencies = await periods(session, {one.agency for one in held if one.agency is not None})

    def span(one: KnownGrant) -> Span:
        own = Span(one.valid_from, one.valid_until)
        return meet(own, Span(*agencies[one.agency])) if one.agency is not None else own

    return [RoleFact(one.id, one.role, one.agency, span(one), one.scopes) for one in held]


async def ask_authority(
    session: AsyncSession, desk: Desk, *, person_id: UUID, at: datetime | None
) -> Authority:
    """A keeper of people, or the person. Raises `NotYoursToAsk`, `PersonUnknown`."""
    if not (may_keep_people(desk.caller) or is_self(desk.caller, person_id)):
        raise NotYoursToAsk("It needs scope identity.people, or to be that person.")
    found = await authority_at(session, person_id=person_id, at=at or desk.now)
    if found is None:
        raise PersonUnknown("Find the person under /v1/persons.")
    return found


async def _builder(session: AsyncSession, held: Held, at: datetime) -> "_Builder":
    rows = held.all_postings()
    positions = await known_positions(session, {row.position_id for row in rows})
    agencies = await periods(session, {one.agency for one in positions.values()})
    holders = {row.person_id for row in rows}
    people = await known_persons(session, holders)
    facts = {
        one.id: PersonFact(one.id, one.is_active(at), Span(end=one.valid_until))
        for one in people.values()
    }
    servants = await known_civil_servants(session, holders)
    return _Builder(held, positions, agencies, facts, servants)


def _span(row: KnownPosting | KnownDelegation) -> Span:
    """What was cancelled never holds."""
    return Span(row.valid_from, row.valid_from if row.is_cancelled else row.valid_until)


@dataclass(frozen=True)
class _Builder:
    """Turns rows into facts, with the positions, agencies and holders they stand on."""

    held: Held
    positions: dict[UUID, KnownPosition]
    agencies: dict[str, tuple[datetime | None, datetime | None]]
    people: dict[UUID, PersonFact]
    servants: dict[UUID, KnownCivilServant]

    def posting(self, row: KnownPosting) -> PostingFact:
        position = self.positions[row.position_id]
        return PostingFact(
            id=row.id,
            holder=self.people[row.person_id],
            position_id=row.position_id,
            agency=position.agency,
            kind=row.kind,
            span=_span(row),
            position=Span(position.valid_from, position.valid_until),
            agency_span=Span(*self.agencies[position.agency]),
            service=ALWAYS if position.is_elected else self._service(row),
        )

    def _service(self, row: KnownPosting) -> Span:
        """Of no civil servant the posting never holds."""
        servant = self.servants.get(row.person_id)
        if servant is None:
            return Span(row.valid_from, row.valid_from)
        return Span(servant.valid_from, servant.valid_until)

    def delegations(self, mine: dict[UUID, PostingFact]) -> list[DelegationFact]:
        return [self._delegation(row, mine[row.to_posting_id]) for row in self.held.delegations]

    def _delegation(self, row: KnownDelegation, receiver: PostingFact) -> DelegationFact:
        giver = self.posting(self.held.givers[row.from_posting_id])
        parent = self.held.parents[row.parent_id] if row.parent_id is not None else None
        return DelegationFact(
            id=row.id,
            kind=row.kind,
            matters=frozenset(row.matters),
            giver=giver,
            receiver=receiver,
            span=_span(row),
            # The receiver of the a.n. is the giver of the u.b.
            parent=self._delegation(parent, giver) if parent is not None else None,
        )
