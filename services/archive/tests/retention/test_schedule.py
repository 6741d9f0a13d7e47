from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_archive.retention.schedule import (
    NOT_RUNNING,
    Rule,
    SoFar,
    civil_date,
    due_dates,
    months_after,
    outcome,
    stage,
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
    assert months_after(date(2024, 2, 29), 12) == date(2025, 2, 28)
    assert months_after(date(2024, 2, 29), 48) == date(2028, 2, 29)
    assert months_after(date(2096, 2, 29), 48) == date(2100, 2, 28)


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


# The last column of the 25 examples: next act and who approves it.
ACTS = {
    "000.1.1": ("transfer", None),
    "000.1.5": ("appraise", None),
    "000.1.6": ("none", None),
    "000.2.4": ("destroy", "anri_head"),
    "000.2.5": ("hand_over", "archive_head"),
    "000.3.2": ("transfer", None),
    "000.3.6": ("hand_over", "archive_head"),
    "000.5.3.1": ("destroy", "governor"),
    "000.5.3.4": ("appraise", None),
    "000.8.3.2": ("transfer", None),
    "500.16.6.1": ("transfer", None),
    "500.16.7.2": ("hand_over", "archive_head"),
    "500.16.7.4": ("none", None),
    "700.1.2.1": ("transfer", None),
    "700.1.2.2": ("hand_over", "archive_head"),
    "800.1.2.2": ("destroy", "governor"),
    "800.1.3.2": ("appraise", None),
    "800.1.6.2": ("transfer", None),
    "800.1.11.1": ("destroy", "governor"),
    "800.1.13.1": ("none", None),
    "900.1.2.4": ("transfer", None),
    "900.1.3.1": ("appraise", None),
    "900.1.3.5": ("destroy", "anri_head"),
    "900.1.3.7": ("transfer", None),
    "900.1.13.1": ("hand_over", "archive_head"),
}
PROVINCE = {"700.1.2.1", "900.1.3.7"}


@pytest.mark.parametrize("row", VECTORS, ids=lambda row: row["classification_code"])
def test_each_vector_has_its_next_act_and_approver(row):
    code = row["classification_code"]
    rule = Rule(int(row["active_years"]), int(row["inactive_years"]), row["final_disposition"])
    found = outcome(day(row["trigger_date"]), rule, TODAY)
    assert (found.act, found.approver) == ACTS[code]
    if found.act == "transfer":
        place = "province" if code in PROVINCE else "agency"
        assert found.reasons == (f"to the record centre of the {place}",)


@given(days, rules, days)
def test_a_hold_stops_every_fate(trigger, rule, today):
    assert outcome(trigger, rule, today, SoFar(is_held=True)).act == "none"


@given(days, rules, days, st.sampled_from(["permanen", "dinilai_kembali", None]))
def test_nothing_is_destroyed_before_its_day_or_against_the_panel(trigger, rule, today, weighed):
    found = outcome(trigger, rule, today, SoFar(weighed=weighed))
    if found.act == "destroy":
        assert weighed is None
        assert rule.final_disposition == "musnah"
        assert found.dates.inactive_until <= today
        assert found.approver == ("anri_head" if rule.total_years >= 10 else "governor")


@given(days, rules)
def test_a_doubt_goes_to_the_panel_before_anything_is_destroyed(trigger, rule):
    doubtful = replace(rule, exception="kecuali aset tetap")
    assert outcome(trigger, doubtful, date.max).act != "destroy"
    assert outcome(trigger, rule, date.max, SoFar(is_marked=True)).act != "destroy"
    assert outcome(trigger, doubtful, date.max, SoFar(weighed="musnah")).act == "destroy"


@given(days, rules, st.integers(0, 24), st.integers(0, 24))
def test_a_longer_offset_never_shortens(trigger, rule, one, other):
    short, long = sorted((one, other))
    early = due_dates(trigger, replace(rule, offset_months=short))
    late = due_dates(trigger, replace(rule, offset_months=long))
    assert early.inactive_until <= late.inactive_until


def test_an_offset_counts_months_and_clamps_once():
    rule = Rule(1, 0, "musnah", offset_months=1)
    assert due_dates(date(2026, 1, 31), rule).inactive_until == date(2027, 2, 28)
