"""The rule of authority, for any facts: nothing is held outside its time, nor beyond its cap."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from sebalai_identity.authority.access import (
    DelegationFact,
    Facts,
    PersonFact,
    PostingFact,
    RoleFact,
    Span,
    authority,
    meet,
)

DAY = datetime(2026, 11, 24, tzinfo=UTC)
TICK = timedelta(microseconds=1)
instants = st.integers(0, 40).map(lambda hours: DAY + timedelta(hours=hours))
edges = st.none() | instants
spans = st.builds(Span, edges, edges)
codes = st.frozensets(st.sampled_from(["surat", "izin", "kas"]), min_size=1)
P, G = UUID(int=1), UUID(int=2)


def people(person_id):
    return st.builds(PersonFact, st.just(person_id), st.booleans(), spans)


def postings(number, holder):
    return st.builds(
        PostingFact,
        st.just(UUID(int=number)),
        holder,
        st.just(UUID(int=number + 100)),
        st.just("dinkes"),
        st.sampled_from(["definitive", "plt", "plh"]),
        spans,
        spans,
        spans,
        spans,
    )


@st.composite
def facts(draw):
    me, other = draw(people(P)), draw(people(G))
    mine = [draw(postings(n, st.just(me))) for n in (10, 11)]
    theirs = [draw(postings(n, st.just(other))) for n in (20, 21)]
    an = draw(
        st.builds(
            DelegationFact,
            st.just(UUID(int=30)),
            st.just("an"),
            codes,
            st.just(theirs[0]),
            st.just(mine[0]),
            spans,
        )
    )
    parent = draw(
        st.builds(
            DelegationFact,
            st.just(UUID(int=31)),
            st.just("an"),
            codes,
            st.just(theirs[0]),
            st.just(theirs[1]),
            spans,
        )
    )
    ub = draw(
        st.builds(
            DelegationFact,
            st.just(UUID(int=32)),
            st.just("ub"),
            codes,
            st.just(theirs[1]),
            st.just(mine[1]),
            spans,
            st.just(parent),
        )
    )
    role = draw(st.builds(RoleFact, st.just(UUID(int=40)), st.just("auditor"), st.none(), spans))
    return Facts(me, mine, [an, ub], [role])


def everything(held):
    return [*held.postings, *held.delegations, *held.roles, *held.businesses]


@settings(max_examples=50)
@given(facts(), instants)
def test_what_is_held_ends_after_now_and_nobody_inactive_holds_anything(known, at):
    held = authority(known, at)
    assert all(one.until is None or one.until > at for one in everything(held))
    assert held.is_active == (known.person.is_active and known.person.span.holds(at))
    assert held.is_active or not everything(held)


@settings(max_examples=50)
@given(facts(), instants, instants)
def test_until_the_cap_all_that_was_held_is_held_and_at_the_cap_something_is_not(known, at, later):
    held = authority(known, at)
    if not held.is_active:
        return
    for one in everything(held):
        same = set(everything(authority(known, max(at, later))))
        if later >= at:
            assert (one in same) == (one.until is None or later < one.until)
    ends = [held.person_until, *(one.until for one in everything(held))]
    assert held.until == min((end for end in ends if end is not None), default=None)
    if held.until is not None:
        assert set(everything(held)) - set(everything(authority(known, held.until))) or (
            not authority(known, held.until).is_active
        )
        assert set(everything(held)) <= set(everything(authority(known, held.until - TICK)))


@settings(max_examples=50)
@given(facts(), instants)
def test_delegation_outlives_neither_posting_nor_the_one_it_rests_on(known, at):
    held = authority(known, at)
    by_id = {one.id: one for one in known.delegations}
    for one in held.delegations:
        fact = by_id[one.id]
        assert held.posting(one.posting_id) is not None
        for part in (fact.giver, fact.receiver, fact.parent):
            if part is not None:
                whole = part.whole()
                assert whole is not None
                assert whole.holds(at)
                assert whole.end is None or (one.until is not None and one.until <= whole.end)
        if fact.parent is not None:
            assert set(one.matters) <= fact.parent.matters


@settings(max_examples=50)
@given(facts(), instants)
def test_posting_of_somebody_else_is_never_mine(known, at):
    theirs = [one.giver for one in known.delegations]
    held = authority(replace(known, postings=[*known.postings, *theirs]), at)
    assert {one.id for one in held.postings} <= {UUID(int=10), UUID(int=11)}


@settings(max_examples=50)
@given(facts(), instants, st.sampled_from([UUID(int=10), UUID(int=11)]))
def test_token_by_a_posting_ends_with_the_posting_or_a_delegation_to_it(known, at, posting_id):
    held = authority(known, at)
    end = held.end_of_posting(posting_id)
    posting = held.posting(posting_id)
    if posting is not None and posting.until is not None:
        assert end is not None
        assert end <= posting.until


@given(st.lists(spans, max_size=4), instants)
def test_meeting_of_spans_holds_when_all_hold(several, at):
    assert meet(*several).holds(at) == all(span.holds(at) for span in several)


def test_acting_official_is_told_as_acting():
    me = PersonFact(P, is_active=True)
    post = PostingFact(UUID(int=10), me, UUID(int=1), "dinkes", "plt", Span(DAY, DAY + TICK))
    (held,) = authority(Facts(me, [post]), DAY).postings
    assert held.is_acting
    assert authority(Facts(me, [post]), DAY + TICK).postings == ()
