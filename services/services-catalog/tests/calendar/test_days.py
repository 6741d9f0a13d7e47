from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_services_catalog.calendar.days import (
    CLOSING,
    Calendar,
    NoWorkingDay,
    civil_date,
    end_of,
)
from sebalai_shared.reference import ReferenceFolder

DAYS = st.dates(date(2024, 1, 1), date(2028, 12, 31))
KINDS = st.sampled_from([*sorted(CLOSING), "hari_kerja"])
CALENDARS = st.builds(
    Calendar,
    st.dictionaries(DAYS, KINDS, max_size=60),
    st.frozensets(st.integers(1, 7), min_size=1),
)
# The first five are the domain notes' own vectors; the rest stand on both sides of their edges.
VECTORS = [
    ("2026-12-23", 3, "2026-12-30"),
    ("2026-03-17", 3, "2026-03-27"),
    ("2026-05-13", 5, "2026-05-22"),
    ("2026-08-14", 1, "2026-08-18"),
    ("2026-11-24", 14, "2026-12-14"),
    ("2026-11-20", 3, "2026-11-25"),
    ("2026-11-21", 1, "2026-11-23"),
    ("2026-11-24", 0, "2026-11-24"),
    ("2026-12-24", 0, "2026-12-28"),
    ("2026-12-31", 1, "2027-01-04"),
]


@pytest.fixture(scope="module")
def decreed():
    rows = ReferenceFolder(Path(__file__).parents[4] / "deploy/reference").rows("calendar_days")
    return {date.fromisoformat(row["day"]): row["kind"] for row in rows}


@pytest.mark.parametrize(("start", "days", "due"), VECTORS)
def test_terms_end_where_the_domain_notes_say(decreed, start, days, due):
    assert Calendar(decreed).add(date.fromisoformat(start), days) == date.fromisoformat(due)


@pytest.mark.parametrize(
    ("start", "days", "wrong"),
    [("2026-12-23", 3, "2026-12-29"), ("2026-03-17", 3, "2026-03-23")],
)
def test_forgetting_cuti_bersama_gives_the_known_wrong_dates(decreed, start, days, wrong):
    holidays = {day: kind for day, kind in decreed.items() if kind == "libur_nasional"}
    assert Calendar(holidays).add(date.fromisoformat(start), days) == date.fromisoformat(wrong)


def test_an_agency_may_open_a_holiday_and_close_a_working_day():
    friday = date(2026, 11, 20)
    opened = Calendar({date(2026, 11, 21): "hari_kerja"})
    closed = Calendar({date(2026, 11, 23): "libur_instansi"})
    assert opened.add(friday, 1) == date(2026, 11, 21)
    assert closed.add(friday, 1) == date(2026, 11, 24)
    assert Calendar(week=frozenset({1, 2, 3, 4, 5, 6})).add(friday, 1) == date(2026, 11, 21)


@given(CALENDARS, DAYS, st.integers(0, 60))
def test_a_due_date_is_a_working_day_and_counts_back_to_the_term(calendar, start, days):
    due = calendar.add(start, days)
    assert calendar.is_working(due)
    if days:
        assert calendar.between(start, due) == days
        assert len(calendar.skipped(start, due)) == (due - start).days - days


@given(CALENDARS, DAYS, st.integers(1, 30), st.integers(1, 30))
def test_a_term_cut_in_two_ends_on_the_same_day(calendar, start, first, second):
    assert calendar.add(calendar.add(start, first), second) == calendar.add(start, first + second)


def test_a_calendar_without_working_days_is_refused_and_not_searched_for_ever():
    closed = {date(2026, 1, 1) + timedelta(days=n): "libur_nasional" for n in range(5_000)}
    with pytest.raises(NoWorkingDay):
        Calendar(closed).add(date(2026, 1, 1), 1)


def test_a_day_ends_at_midnight_in_wib():
    assert end_of(date(2026, 11, 25)) == datetime(2026, 11, 25, 17, tzinfo=UTC)
    assert civil_date(datetime(2026, 11, 25, 16, 59, tzinfo=UTC)) == date(2026, 11, 25)
    assert civil_date(datetime(2026, 11, 25, 17, 0, tzinfo=UTC)) == date(2026, 11, 26)
