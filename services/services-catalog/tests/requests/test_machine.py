"""The life of a request as pure rules: no jump, no lost clock, same acts → same case."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sebalai_services_catalog.calendar.days import Calendar
from sebalai_services_catalog.requests.machine import (
    CLOSED,
    HELD_BY_APPLICANT,
    MOVES,
    UNASKED,
    Case,
    Done,
    NoSuchStep,
    possible,
    replay,
    role_of,
    step,
)
from sebalai_services_catalog.requests.promise import Promise
from sebalai_services_catalog.requests.tickets import ALPHABET, new_ticket, read_ticket

START = datetime(2026, 11, 24, 3, tzinfo=UTC)
CALENDAR = Calendar({date(2026, 12, 24): "cuti_bersama", date(2026, 12, 25): "libur_nasional"})
ACTS = st.sampled_from(sorted({act for _, act in MOVES}))
GAPS = st.integers(0, 200_000)
HISTORIES = st.lists(st.tuples(ACTS, GAPS), max_size=40)
CASES = st.builds(
    Case,
    st.builds(
        Promise, st.integers(1, 30), st.sampled_from(["minutes", "hours", "days", "working_days"])
    ),
    st.sampled_from(["submitted", "verified"]),
)

BILLED_BEFORE_IT_RAN = Case(Promise(1, "minutes"), "verified")


def walk(case, history):
    """Every step that was possible, with the case after it."""
    at = START
    for act, gap in history:
        at += timedelta(seconds=gap)
        done = Done(act, at)
        try:
            case = step(case, done)
        except NoSuchStep:
            continue
        yield done, case


@given(CASES, HISTORIES)
def test_each_step_stands_in_the_table_and_nothing_jumps(case, history):
    before = case
    for done, after in walk(case, history):
        move = MOVES[before.state, done.act]
        assert after.state == (move.to or before.back_to)
        assert after.version == before.version + 1
        before = after


@given(CASES, HISTORIES)
def test_the_same_acts_give_the_same_case(case, history):
    steps = list(walk(case, history))
    end = steps[-1][1] if steps else case
    assert replay(case, [done for done, _ in steps]) == end


@given(CASES, HISTORIES)
@example(BILLED_BEFORE_IT_RAN, [("submit", 0), ("verify", 0), ("bill", 0), ("pay", 0)])
def test_the_clock_runs_exactly_while_we_hold_the_file(case, history):
    for _, after in walk(case, history):
        waits = after.starts == "verified" and not after.verified
        # A clock that never ran has nothing to pause: a bill before the first moment leaves it off.
        unstarted = after.starts == "verified" and not after.promise.ran
        if after.state in CLOSED or after.state == "appeal":
            assert after.promise.mode == "stopped"
        elif after.state in HELD_BY_APPLICANT:
            assert after.promise.mode == ("off" if unstarted else "paused")
        elif after.state != "draft" and not waits:
            assert after.promise.mode == "running"
        assert (after.promise.since is not None) == (after.promise.mode == "running")


@given(CASES, HISTORIES)
def test_no_act_loses_time_that_ran(case, history):
    used, ran = 0, ()
    for done, after in walk(case, history):
        if done.act == "overturn":
            used, ran = 0, ()
        assert after.promise.ran[: len(ran)] == ran
        now = after.promise.used(done.at, CALENDAR)
        assert now >= used
        used, ran = now, after.promise.ran


@given(CASES, HISTORIES)
def test_waiting_for_the_applicant_only_ever_moves_the_due_date_later(case, history):
    due = None
    for done, after in walk(case, history):
        now = after.promise.due_at(CALENDAR)
        if due is not None and now is not None and done.act != "overturn":
            assert now >= due
        due = now or due


@given(CASES, HISTORIES)
def test_an_appeal_is_made_once(case, history):
    appeals = [done for done, _ in walk(case, history) if done.act == "appeal"]
    assert len(appeals) <= 1


@given(CASES, HISTORIES)
def test_what_is_said_to_be_possible_is_possible_and_nothing_else(case, history):
    for _, after in walk(case, history):
        for act in {act for _, act in MOVES}:
            if act in possible(after):
                assert role_of(after, act) != "platform"
            elif act not in UNASKED:
                with suppress(NoSuchStep):
                    assert role_of(after, act) == "platform"


def working_days(value):
    return Promise(value, "working_days")


def at(text):
    return datetime.fromisoformat(f"{text}+07:00")


def test_a_pause_of_working_days_moves_the_due_date_by_as_many():
    clock = working_days(3).run(at("2026-11-24T10:00")).pause(at("2026-11-25T09:00"))
    assert clock.due_at(CALENDAR) is None
    clock = clock.run(at("2026-11-30T15:00"))
    assert clock.due_at(CALENDAR) == at("2026-12-03T00:00")


def test_returned_and_answered_on_one_day_costs_nothing():
    clock = working_days(3).run(at("2026-11-24T10:00"))
    again = clock.pause(at("2026-11-25T09:00")).run(at("2026-11-25T16:00"))
    assert again.due_at(CALENDAR) == clock.due_at(CALENDAR) == at("2026-11-28T00:00")


def test_a_file_that_was_late_before_the_pause_stays_late():
    clock = working_days(1).run(at("2026-11-24T10:00")).pause(at("2026-11-27T10:00"))
    clock = clock.run(at("2026-12-10T10:00"))
    assert clock.due_at(CALENDAR) == at("2026-11-26T00:00")


def test_a_changed_calendar_moves_the_due_date_of_the_same_clock():
    clock = working_days(3).run(at("2026-12-22T10:00"))
    assert clock.due_at(Calendar()) == at("2026-12-26T00:00")
    assert clock.due_at(CALENDAR) == at("2026-12-30T00:00")


def test_hours_run_on_through_the_night_and_minutes_pause_exactly():
    assert Promise(24, "hours").run(START).due_at(CALENDAR) == START + timedelta(hours=24)
    clock = Promise(30, "minutes").run(START).pause(START + timedelta(minutes=10))
    clock = clock.run(START + timedelta(hours=5))
    assert clock.due_at(CALENDAR) == START + timedelta(hours=5, minutes=20)


def test_a_promise_from_acceptance_waits_until_the_file_is_complete():
    case = Case(working_days(3), starts="verified")
    for act in ("submit", "verify", "return", "resubmit"):
        case = step(case, Done(act, START))
        assert case.promise.mode == "off"
    assert step(case, Done("accept", START)).promise.mode == "running"


def test_an_overturned_refusal_begins_the_work_and_the_term_again():
    case = Case(working_days(3), state="appeal", appealed=True)
    case = replace(case, promise=case.promise.run(START).stop(START + timedelta(days=30)))
    again = step(case, Done("overturn", START + timedelta(days=40)))
    assert (again.state, again.promise.ran, again.promise.mode) == ("processing", (), "running")


@given(st.integers(2020, 2099))
def test_a_ticket_is_read_as_people_write_it(year):
    ticket = new_ticket(year)
    assert read_ticket(ticket) == ticket
    assert read_ticket(ticket.lower().replace("-", " ").replace("0", "o")) == ticket


@given(st.integers(2, 12), st.sampled_from(ALPHABET))
def test_one_wrong_sign_in_a_ticket_is_noticed(place, sign):
    signs = new_ticket(2026).replace("-", "")
    wrong = signs[:place] + sign + signs[place + 1 :]
    assert (read_ticket(wrong) is None) == (wrong != signs)


@pytest.mark.parametrize("text", ["", "BB", "XX-26-0000-0000-0", "BB-26-UUUU-0000-0", "x" * 100])
def test_what_is_no_ticket_is_not_taken_for_one(text):
    assert read_ticket(text) is None
