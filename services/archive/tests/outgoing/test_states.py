from hypothesis import given
from hypothesis import strategies as st
from sebalai_archive.outgoing.states import CANCELLED, DRAFT, SENT, SIGNED, after

ACTS = ["submit", "verify", "return", "number", "sign", "send", "cancel"]


def walk(acts):
    """The states passed through; what is not allowed changes nothing."""
    states = [DRAFT]
    for act in acts:
        states.append(after(states[-1], act) or states[-1])
    return states


@given(st.lists(st.sampled_from(ACTS), max_size=40))
def test_a_letter_is_signed_only_after_paraf_and_number(acts):
    states = walk(acts)
    if SIGNED in states:
        before = states[: states.index(SIGNED)]
        assert {"submitted", "verified", "numbered"} <= set(before)


@given(st.lists(st.sampled_from(ACTS), max_size=40))
def test_what_is_sent_or_cancelled_stays_so(acts):
    states = walk(acts)
    for end in (SENT, CANCELLED):
        if end in states:
            assert set(states[states.index(end) :]) == {end}
    assert not (SIGNED in states and CANCELLED in states)
