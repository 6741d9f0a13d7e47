from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_archive.retention.schedule import (
    NOT_RUNNING,
    Rule,
    civil_date,
    due_dates,
    stage,
    years_after,
)
from sebalai_shared.reference import ReferenceFolder

FOLDER = ReferenceFolder(Path(__file__).parents[4] / "deploy/reference")
VECTORS = FOLDER.rows("retention_test_vectors")
RULES = {row["classification_code"]: row for row in FOLDER.rows("retention_schedule")}
TODAY = date(2026, 11, 24)

days = st.dates(date(1945, 8, 17), date(2500, 12, 31))
rules = st.builds(
    Rule,
    st.integers(0, 100),
    st.integers(0, 100),
    st.sampled_from(["musnah", "permanen", "dinilai_kembali"]),
)


def day(text):
    return date.fromisoformat(text) if text else None


@pytest.mark.parametrize("row", VECTORS, ids=lambda row: row["classification_code"])
def test_each_vector_of_the_reference_gives_its_dates_and_stage(row):
    rule = Rule(int(row["active_years"]), int(row["inactive_years"]), row["final_disposition"])
    dates = due_dates(day(row["trigger_date"]), rule)
    assert dates.active_until == day(row["active_until"])
    assert dates.inactive_until == day(row["inactive_until"])
    assert stage(dates, TODAY) == row["stage_on_2026_11_24"]


def test_the_vectors_are_all_there_and_agree_with_the_schedule():
    assert len(VECTORS) == 25
    for row in VECTORS:
        rule = RULES[row["classification_code"]]
        for column in ("active_years", "inactive_years", "final_disposition"):
            assert rule[column] == row[column]


def test_a_leap_day_clamps_only_where_the_year_has_none():
    assert years_after(date(2024, 2, 29), 1) == date(2025, 2, 28)
    assert years_after(date(2024, 2, 29), 4) == date(2028, 2, 29)
    assert years_after(date(2096, 2, 29), 4) == date(2100, 2, 28)


@given(rules)
def test_without_a_trigger_the_clock_does_not_run(rule):
    assert due_dates(None, rule) == NOT_RUNNING
    assert stage(NOT_RUNNING, date.max) == "active"


@given(days)
def test_without_a_rule_the_clock_does_not_run(trigger):
    assert due_dates(trigger, None) == NOT_RUNNING


@given(days, days, rules)
def test_a_later_trigger_never_shortens(one, other, rule):
    first, second = sorted((one, other))
    early, late = due_dates(first, rule), due_dates(second, rule)
    assert early.active_until <= late.active_until
    assert early.inactive_until <= late.inactive_until


@given(days, rules, st.lists(days, min_size=2))
def test_stages_only_go_forward(trigger, rule, moments):
    order = ["active", "inactive", "due"]
    dates = due_dates(trigger, rule)
    passed = [order.index(stage(dates, moment)) for moment in sorted(moments)]
    assert passed == sorted(passed)


@given(days, rules)
def test_the_dates_fall_on_the_triggers_day_or_are_clamped(trigger, rule):
    dates = due_dates(trigger, rule)
    assert trigger <= dates.active_until <= dates.inactive_until
    for found in (dates.active_until, dates.inactive_until):
        clamped = (trigger.month, trigger.day) == (2, 29) and (found.month, found.day) == (2, 28)
        assert clamped or (found.month, found.day) == (trigger.month, trigger.day)


def test_a_civil_date_begins_at_midnight_in_the_province():
    assert civil_date(datetime(2026, 11, 23, 16, 59, tzinfo=UTC)) == date(2026, 11, 23)
    assert civil_date(datetime(2026, 11, 23, 17, 0, tzinfo=UTC)) == date(2026, 11, 24)
