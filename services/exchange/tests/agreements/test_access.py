"""Every pairing of caller and step, against the rule said in words."""

from hypothesis import given
from hypothesis import strategies as st
from sebalai_exchange.agreements import access
from sebalai_exchange.agreements.access import Parties
from sebalai_shared.caller import Caller
from sebalai_shared.testing.http import system

APPLICATIONS = [
    "ID-BB/GOV/dinsos-pmd/bansos",
    "ID-BB/GOV/dp3acskb/kependudukan",
    "ID-BB/GOV/dp3acskb/lain",
    "ID-BB/GOV/diskominfo/operator",
]
SCOPES = ["bus.call", "exchange.manage", "platform.operate"]
callers = st.builds(
    lambda application, scopes: system(application, *scopes),
    st.sampled_from(APPLICATIONS),
    st.sets(st.sampled_from(SCOPES), min_size=1),
)
parties = st.builds(
    Parties,
    *[st.sampled_from(APPLICATIONS) for _ in ("consumer", "provider", "requested_by")],
    st.sampled_from(["consumer", "provider"]),
    st.sampled_from([1, 2]),
    st.lists(st.sampled_from(APPLICATIONS), max_size=2, unique=True).map(tuple),
)
steps = st.sampled_from(["grant", "suspend", "resume", "revoke"])


@given(callers, parties)
def test_nobody_grants_what_they_asked_for_and_the_first_yes_is_the_other_sides(caller, sides):
    if access.may_take("grant", caller, sides):
        assert caller.application not in {sides.requested_by, sides.asker, *sides.approved_by}
        if not caller.is_operator:
            assert caller.agency == sides.granter.split("/")[2]
            assert caller.application == sides.granter or sides.approved_by


def test_an_operator_without_an_application_does_not_grant_what_it_asked_for():
    scopes = frozenset({"platform.operate"})
    caller, other = (Caller(kind="system", subject=name, scopes=scopes) for name in ("a", "b"))
    sides = Parties(APPLICATIONS[0], APPLICATIONS[1], access.who(caller))
    assert not access.may_take("grant", caller, sides)
    assert access.may_take("grant", other, sides)


@given(steps, callers, parties)
def test_without_a_scope_nobody_decides(step, caller, sides):
    if not caller.has_scope("exchange.manage"):
        assert not access.may_take(step, caller, sides)
        assert access.side_of_request(caller, sides.consumer, sides.provider) is None


@given(steps, callers, parties)
def test_only_parties_and_the_operator_decide_but_for_a_second_approval(step, caller, sides):
    is_outside = caller.application not in {sides.consumer, sides.provider}
    if is_outside and not caller.is_operator and not (step == "grant" and sides.approved_by):
        assert not access.may_take(step, caller, sides)


@given(callers, parties)
def test_consumer_may_end_but_neither_suspend_nor_resume(caller, sides):
    is_consumer_alone = (
        caller.application == sides.consumer
        and caller.application != sides.provider
        and not caller.is_operator
    )
    if is_consumer_alone:
        assert access.may_take("revoke", caller, sides) == caller.has_scope("exchange.manage")
        assert not access.may_take("suspend", caller, sides)
        assert not access.may_take("resume", caller, sides)


def test_caller_with_an_application_of_another_agency_is_nobody():
    forged = Caller(
        kind="system",
        agency="dinkes",
        application=APPLICATIONS[0],
        scopes=frozenset({"exchange.manage"}),
    )
    assert access.side_of_request(forged, APPLICATIONS[0], APPLICATIONS[1]) is None
    sides = Parties(APPLICATIONS[1], APPLICATIONS[0], APPLICATIONS[1], approved_by=("x",))
    assert not access.may_take("grant", forged, sides)
