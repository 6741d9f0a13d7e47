"""The authority of a person at an instant, as a pure function of facts.

Everything rests on spans: a posting holds while its own period, its position, its agency, its
holder and the holder's service hold (a regional head has no service); a delegation while its own
period, both postings, and the a.n. below an u.b. hold. The earliest of the ends is when the
authority ends, by itself, whatever else happens.
Source: UU 30/2014 pasal 8 to 15: an official acts within the time of their authority.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

DEFINITIVE = "definitive"


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open; None is open. A span whose end is its start holds never."""

    start: datetime | None = None
    end: datetime | None = None

    def holds(self, at: datetime) -> bool:
        return (self.start is None or self.start <= at) and (self.end is None or at < self.end)


ALWAYS = Span()


def meet(*spans: Span) -> Span:
    """What all of them share."""
    starts = [span.start for span in spans if span.start is not None]
    ends = [span.end for span in spans if span.end is not None]
    return Span(max(starts, default=None), min(ends, default=None))


@dataclass(frozen=True, slots=True)
class PersonFact:
    id: UUID
    is_active: bool
    span: Span = ALWAYS


@dataclass(frozen=True, slots=True)
class PostingFact:
    """`span` is the posting's own; `position` and `agency_span` those it stands in; `service` how
    long its holder is a civil servant, where the position asks for one.
    """

    id: UUID
    holder: PersonFact
    position_id: UUID
    agency: str
    kind: str
    span: Span
    position: Span = ALWAYS
    agency_span: Span = ALWAYS
    service: Span = ALWAYS

    def whole(self) -> Span | None:
        """None when its holder may not act at all."""
        if not self.holder.is_active:
            return None
        return meet(self.span, self.position, self.agency_span, self.service, self.holder.span)


@dataclass(frozen=True, slots=True)
class DelegationFact:
    id: UUID
    kind: str
    matters: frozenset[str]
    giver: PostingFact
    receiver: PostingFact
    span: Span
    parent: "DelegationFact | None" = None

    def whole(self) -> Span | None:
        spans = [self.giver.whole(), self.receiver.whole(), self.span]
        if self.parent is not None:
            spans.append(self.parent.whole())
        known = [span for span in spans if span is not None]
        return meet(*known) if len(known) == len(spans) else None

    def passed_on(self) -> frozenset[str]:
        """Nobody passes on what they were not given."""
        return self.matters & self.parent.passed_on() if self.parent is not None else self.matters


@dataclass(frozen=True, slots=True)
class RoleFact:
    """`span` is what the grant's own period and that of its agency share."""

    grant_id: UUID
    role: str
    agency: str | None
    span: Span
    scopes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class BusinessFact:
    """`matters` None: the representation is limited to none."""

    id: UUID
    business_id: UUID
    capacity: str
    matters: tuple[str, ...] | None
    span: Span


@dataclass(frozen=True, slots=True)
class Facts:
    person: PersonFact
    postings: Sequence[PostingFact] = ()
    delegations: Sequence[DelegationFact] = ()
    roles: Sequence[RoleFact] = ()
    businesses: Sequence[BusinessFact] = ()


@dataclass(frozen=True, slots=True)
class HeldPosting:
    """`is_acting`: a Plt. or Plh., who decides nothing strategic (UU 30/2014 pasal 14 ayat 7)."""

    id: UUID
    position_id: UUID
    agency: str
    kind: str
    is_acting: bool
    until: datetime | None


@dataclass(frozen=True, slots=True)
class HeldDelegation:
    """`position_id` is the position in whose name is signed, by the holder of `posting_id`."""

    id: UUID
    kind: str
    posting_id: UUID
    position_id: UUID
    agency: str
    matters: tuple[str, ...]
    until: datetime | None


@dataclass(frozen=True, slots=True)
class HeldRole:
    grant_id: UUID
    role: str
    agency: str | None
    scopes: tuple[str, ...]
    until: datetime | None


@dataclass(frozen=True, slots=True)
class HeldBusiness:
    representation_id: UUID
    business_id: UUID
    capacity: str
    matters: tuple[str, ...] | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Authority:
    """What a person holds at `at`. Nothing for one who may not act at all."""

    person_id: UUID
    at: datetime
    is_active: bool
    person_until: datetime | None = None
    postings: tuple[HeldPosting, ...] = ()
    delegations: tuple[HeldDelegation, ...] = ()
    roles: tuple[HeldRole, ...] = ()
    businesses: tuple[HeldBusiness, ...] = ()
    until: datetime | None = field(default=None)
    """When the earliest of all this ends; None: nothing here ends."""

    def posting(self, posting_id: UUID) -> HeldPosting | None:
        return next((one for one in self.postings if one.id == posting_id), None)

    def representing(self, business_id: UUID) -> HeldBusiness | None:
        return next((one for one in self.businesses if one.business_id == business_id), None)

    def end_of_posting(self, posting_id: UUID) -> datetime | None:
        """The latest a token may live that acts by this posting alone (with its delegations)."""
        ends = [one.until for one in self.postings if one.id == posting_id]
        ends += [one.until for one in self.delegations if one.posting_id == posting_id]
        return min((end for end in ends if end is not None), default=None)


def authority(facts: Facts, at: datetime) -> Authority:
    """Pure: the same facts and instant give the same answer, on any machine, at any time."""
    person = facts.person
    if not person.is_active or not person.span.holds(at):
        return Authority(person.id, at, is_active=False)
    postings = _postings(facts, at)
    delegations = _delegations(facts, {one.id for one in postings}, at)
    roles, businesses = _roles(facts, at), _businesses(facts, at)
    ends = [one.until for one in (*postings, *delegations, *roles, *businesses)]
    ends.append(person.span.end)
    return Authority(
        person.id,
        at,
        is_active=True,
        person_until=person.span.end,
        postings=postings,
        delegations=delegations,
        roles=roles,
        businesses=businesses,
        until=min((end for end in ends if end is not None), default=None),
    )


def _postings(facts: Facts, at: datetime) -> tuple[HeldPosting, ...]:
    return tuple(
        HeldPosting(one.id, one.position_id, one.agency, one.kind, one.kind != DEFINITIVE, span.end)
        for one, span in ((one, one.whole()) for one in facts.postings)
        if one.holder.id == facts.person.id and span is not None and span.holds(at)
    )


def _delegations(facts: Facts, held: set[UUID], at: datetime) -> tuple[HeldDelegation, ...]:
    """Those to a posting that is held itself."""
    return tuple(
        HeldDelegation(
            one.id,
            one.kind,
            one.receiver.id,
            one.giver.position_id,
            one.giver.agency,
            tuple(sorted(one.passed_on())),
            span.end,
        )
        for one, span in ((one, one.whole()) for one in facts.delegations)
        if one.receiver.id in held and span is not None and span.holds(at)
    )


def _roles(facts: Facts, at: datetime) -> tuple[HeldRole, ...]:
    return tuple(
        HeldRole(one.grant_id, one.role, one.agency, tuple(sorted(one.scopes)), span.end)
        for one, span in ((one, meet(one.span, facts.person.span)) for one in facts.roles)
        if span.holds(at)
    )


def _businesses(facts: Facts, at: datetime) -> tuple[HeldBusiness, ...]:
    return tuple(
        HeldBusiness(one.id, one.business_id, one.capacity, one.matters, span.end)
        for one, span in ((one, meet(one.span, facts.person.span)) for one in facts.businesses)
        if span.holds(at)
    )
