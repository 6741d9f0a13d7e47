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
