"""The deadline job: breaches told once, due dates redone after a calendar change, reminders."""

from datetime import timedelta

import pytest
from sebalai_services_catalog.requests import deadlines
from sebalai_services_catalog.requests.jobs import keep_deadlines
from sebalai_shared.testing.http import system
from sqlalchemy import text

BREACHED = "catalog.deadline.breached.v1"


@pytest.fixture
def operator(client_of):
    return client_of(system("ID-BB/GOV/diskominfo/sebalai", "platform.operate"))


async def told(database, kind):
    async with database.transaction() as session:
        query = text("SELECT document->'data' FROM outbox WHERE type = :kind ORDER BY seq")
        return list(await session.scalars(query, {"kind": kind}))


async def test_a_late_request_is_told_once_and_goes_on(filed, loaded, clock, officer):
    request = await filed()
    clock.move(timedelta(days=3))
    assert (await keep_deadlines(loaded, clock))["tell_breaches"] == 0
    clock.move(timedelta(days=1))
    assert (await keep_deadlines(loaded, clock))["tell_breaches"] == 1
    assert (await keep_deadlines(loaded, clock))["tell_breaches"] == 0
    facts = await told(loaded, BREACHED)
    assert [(fact["request_id"], fact["state"]) for fact in facts] == [
        (request.body["id"], "submitted")
    ]
    assert facts[0]["deemed_granted"] is False
    body = await request.read()
    assert (body["state"], body["clock"]["late"]) == ("submitted", True)
    await request.done("verify", officer)


async def test_a_file_the_applicant_holds_is_never_late(filed, loaded, clock, officer):
    request = await filed()
    await request.done("verify", officer)
    marks = [{"code": "ktp", "reason": "buram"}]
    await request.done("return", officer, reason="x", marks=marks)
    clock.move(timedelta(days=10))
    assert (await keep_deadlines(loaded, clock))["tell_breaches"] == 0


async def test_a_changed_calendar_moves_open_due_dates_and_records_it(
    filed, loaded, clock, operator
):
    request = await filed()
    before = request.body["clock"]["due_at"]
    day = {"kind": "libur_nasional", "name": "Pilkada", "basis": "Keppres"}
    await operator.put("/v1/calendar/days/2026-11-26", json=day)
    counts = await keep_deadlines(loaded, clock)
    assert counts["redo_due_dates"] == 1
    body = await request.read()
    assert before == "2026-11-27T17:00:00Z"
    assert body["clock"]["due_at"] == "2026-11-30T17:00:00Z"
    history = (await request.client.get(f"/v1/requests/{body['id']}/history")).json()
    assert [(c["due_before"], c["due_after"]) for c in history["due_changes"]] == [
        (before, body["clock"]["due_at"])
    ]
    assert (await keep_deadlines(loaded, clock))["redo_due_dates"] == 0


async def test_a_returned_file_is_reminded_twice_and_lapses(filed, loaded, clock, officer):
    request = await filed()
    await request.done("verify", officer)
    marks = [{"code": "ktp", "reason": "buram"}]
    await request.done("return", officer, reason="x", marks=marks, working_days=14)
    reminders = []
    for _ in range(25):
        clock.move(timedelta(days=1))
        await keep_deadlines(loaded, clock)
        reminders.append(len(await told(loaded, "catalog.request.reminded.v1")))
    assert reminders[-1] == 2
    body = await request.read()
    assert (body["state"], body["last_actor"]) == ("lapsed", "platform")
    assert len(await told(loaded, "catalog.request.lapsed.v1")) == 1


async def test_who_was_reminded_takes_no_place_from_who_was_not(
    filed, loaded, clock, officer, monkeypatch
):
    monkeypatch.setattr(deadlines, "LAPSE_ROWS", 1)
    marks = [{"code": "ktp", "reason": "buram"}]
    for days in (6, 8):
        request = await filed()
        await request.done("verify", officer)
        await request.done("return", officer, reason="x", marks=marks, working_days=days)
        await keep_deadlines(loaded, clock)
    clock.move(timedelta(days=2))
    await keep_deadlines(loaded, clock)
    assert len(await told(loaded, "catalog.request.reminded.v1")) == 2


async def test_a_draft_expires_after_thirty_days(filed, loaded, clock):
    request = await filed(submit=False)
    clock.move(timedelta(days=29))
    await keep_deadlines(loaded, clock)
    assert (await request.read())["state"] == "draft"
    clock.move(timedelta(days=1))
    await keep_deadlines(loaded, clock)
    assert (await request.read())["state"] == "lapsed"


@pytest.fixture
def verified(filed, officer):
    async def make():
        request = await filed()
        await request.done("verify", officer)
        return request

    return make


@pytest.fixture
def refused(verified, signer):
    async def make():
        request = await verified()
        await request.done("refuse", signer, reason="x", legal_basis="permendagri-3-2018")
        return request

    return make


CLOSED = {"kind": "libur_nasional", "name": "Pilkada", "basis": "Keppres"}


async def test_a_changed_calendar_gives_who_must_answer_or_pay_or_appeal_the_days_anew(
    billed, verified, refused, loaded, clock, operator
):
    returned, unpaid, lost = await verified(), await billed(), await refused()
    marks = [{"code": "ktp", "reason": "buram"}]
    await returned.done("return", operator, reason="x", marks=marks, working_days=3)
    rows = ((returned, "reply_by"), (unpaid, "reply_by"), (lost, "appeal_until"))
    before = [request.body[term] for request, term in rows]
    await operator.put("/v1/calendar/days/2026-11-26", json=CLOSED)
    counts = await keep_deadlines(loaded, clock)
    assert counts["redo_windows"] == 3
    after = [(await request.read())[term] for request, term in rows]
    assert all(new > old for old, new in zip(before, after, strict=True))
    assert after[0] == "2026-11-30T17:00:00Z"
    bill = (await unpaid.client.get(f"/v1/requests/{unpaid.body['id']}/bill")).json()
    assert bill["pay_until"] == after[1]
    facts = await told(loaded, "catalog.request.rescheduled.v1")
    assert sorted(fact["after"] for fact in facts) == sorted(after)
    await operator.delete("/v1/calendar/days/2026-11-26")
    assert (await keep_deadlines(loaded, clock))["redo_windows"] == 3
    assert [(await request.read())[term] for request, term in rows] == after
    assert (await keep_deadlines(loaded, clock))["redo_windows"] == 0


async def test_an_appeals_last_day_follows_the_calendar_both_ways_and_only_while_it_runs(
    refused, loaded, clock, operator, superior
):
    request = await refused()
    first = (await request.done("appeal", reason="keberatan"))["appeal_due_at"]
    await operator.put("/v1/calendar/days/2026-11-26", json=CLOSED)
    await keep_deadlines(loaded, clock)
    assert (await request.read())["appeal_due_at"] > first
    await operator.delete("/v1/calendar/days/2026-11-26")
    await keep_deadlines(loaded, clock)
    assert (await request.read())["appeal_due_at"] == first
    await request.done("uphold", superior, reason="tetap")
    await operator.put("/v1/calendar/days/2026-11-27", json=CLOSED)
    assert (await keep_deadlines(loaded, clock))["redo_windows"] == 0
