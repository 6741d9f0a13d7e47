import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_archive.disposals.listing import root_of
from sebalai_archive.disposals.machine import MACHINES, may_withdraw, next_step


@pytest.mark.parametrize("kind", sorted(MACHINES))
def test_each_machine_is_one_line_from_proposed_to_its_end(kind):
    state, seen = "proposed", []
    while (step := next_step(kind, state)) is not None:
        seen.append(step.name)
        state = step.after
    assert seen == [step.name for step in MACHINES[kind]]
    assert len({step.before for step in MACHINES[kind]}) == len(MACHINES[kind])
    assert next_step(kind, "withdrawn") is None
    assert not may_withdraw(kind, "executed")
    assert may_withdraw(kind, "proposed")


def test_a_destruction_shows_its_eight_slots():
    slots = [slot for step in MACHINES["destruction"] for slot in step.slots]
    assert len(slots) == len(set(slots)) == 8


@given(st.lists(st.text(max_size=20), max_size=40), st.data())
def test_any_change_of_the_list_changes_its_root(lines, data):
    root = root_of(lines)
    assert root_of([*lines, "one more"]) != root
    if lines:
        at = data.draw(st.integers(0, len(lines) - 1))
        changed = [*lines[:at], lines[at] + "x", *lines[at + 1 :]]
        assert root_of(changed) != root
        assert root_of(lines[:-1]) != root


def test_the_root_is_that_of_rfc_9162():
    a, b, c = (hashlib.sha256(b"\x00" + one).digest() for one in (b"a", b"b", b"c"))
    ab = hashlib.sha256(b"\x01" + a + b).digest()
    assert root_of(["a", "b", "c"]) == hashlib.sha256(b"\x01" + ab + c).hexdigest()
    assert root_of([]) == hashlib.sha256(b"").hexdigest()
