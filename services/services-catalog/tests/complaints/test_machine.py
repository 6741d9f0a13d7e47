from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_services_catalog.calendar.days import Calendar
from sebalai_services_catalog.complaints.machine import (
    MOVES,
    Moments,
    NoSuchStep,
    after,
    category_of,
    deadline,
)
from sebalai_shared.reference import ReferenceFolder

ROWS = ReferenceFolder(Path(__file__).parents[4] / "deploy/reference").rows("complaint_deadlines")
LIMITS = {(row["stage"], row["category"]): (int(row["limit"]), row["unit"]) for row in ROWS}
AT = datetime.fromisoformat("2026-11-20T15:00+07:00")
ACTS = st.lists(st.sampled_from(sorted({act for _, act in MOVES})), max_size=30)


def due(state, category="permintaan_informasi", **more):
    found = deadline(state, category, Moments(AT, **more), LIMITS, Calendar())
    return found.isoformat()[:16]


def test_verification_of_a_friday_complaint_is_due_at_the_end_of_wednesday():
    assert due("received") == due("verifying") == "2026-11-25T17:00"


@pytest.mark.parametrize(
    ("kind", "needs_examination", "end"),
    [
        ("permintaan_informasi", False, "2026-11-27T17:00"),
        ("pengaduan", False, "2026-12-10T17:00"),
        ("pengaduan", True, "2027-02-12T17:00"),
        ("aspirasi", False, "2026-12-10T17:00"),
    ],
)
def test_completion_has_5_14_or_60_working_days_from_forwarding(kind, needs_examination, end):
    category = category_of(kind, needs_examination=needs_examination)
    assert due("in_follow_up", category, forwarded=AT) == end


def test_the_agency_answers_in_5_working_days_and_the_reporter_in_10_days():
    assert due("forwarded", forwarded=AT) == "2026-11-27T17:00"
    assert due("answered", forwarded=AT, answered=AT) == "2026-11-30T17:00"


def test_nothing_is_awaited_of_a_closed_complaint():
    moments = Moments(AT, AT, AT)
    assert deadline("closed", "permintaan_informasi", moments, LIMITS, Calendar()) is None


@given(ACTS)
def test_nothing_is_answered_before_it_was_verified_forwarded_and_followed(acts):
    state, seen = "received", ["received"]
    for act in acts:
        try:
            state, _ = after(state, act)
        except NoSuchStep:
            continue
        seen.append(state)
    if "answered" in seen:
        order = [seen.index(one) for one in ("verifying", "forwarded", "in_follow_up", "answered")]
        assert order == sorted(order)
    if seen[-1] in ("closed", "archived"):
        assert seen.count(seen[-1]) == 1
