"""Separation of duties: one person, or all systems of one agency, are one hand."""

from hypothesis import given
from hypothesis import strategies as st
from sebalai_identity.duties import are_one_hand, system_of
from sebalai_shared.caller import Caller

CALLERS = st.builds(
    Caller,
    kind=st.sampled_from(["system", "civil_servant", "citizen"]),
    subject=st.sampled_from(["one", "two", "three"]),
    agency=st.none() | st.sampled_from(["dinkes", "diskominfo"]),
)


@given(CALLERS, CALLERS)
def test_one_hand_is_one_person_or_the_systems_of_one_agency(asker, decider):
    is_one = are_one_hand(decider, asker.subject, system_of(asker))
    is_one_office = (
        asker.kind == decider.kind == "system"
        and asker.agency == decider.agency
        and asker.agency is not None
    )
    assert is_one == (asker.subject == decider.subject or is_one_office)
