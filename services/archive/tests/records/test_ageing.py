from datetime import timedelta

import pytest
from sebalai_archive.records.actions.ageing import apply_new_rules
from sebalai_shared.ids import uuid7
from sebalai_shared.testing.http import system
from sqlalchemy import text

RULE = {
    "series": "Rapat pimpinan",
    "active_years": 2,
    "inactive_years": 8,
    "final_disposition": "musnah",
    "security_class": "terbatas",
    "valid_from": "2026-11-24",
    "legal_basis": "Peraturan Gubernur 1/2026",
}


def key():
    return {"idempotency-key": str(uuid7())}


@pytest.fixture
def operator(client_of):
    return client_of(system("ID-BB/GOV/diskominfo/operasi", "platform.operate"))


async def test_a_trigger_that_comes_later_starts_the_clock_and_is_told(desk, stranger):
    record = await desk.declared()
    assert record["retention"]["clock"] == "not running"
    path = f"/v1/records/{record['id']}/trigger"
    wanted = {"trigger": "setelah_berkas_ditutup", "date": "2024-11-24", "reason": "berkas tutup"}
    history = await desk.client.put(path, json=wanted)
    assert history.status_code == 200, history.text
    [event] = history.json()
    assert (event["old"]["inactive_until"], event["new"]["inactive_until"]) == (None, "2026-11-24")
    assert len((await desk.client.put(path, json=wanted)).json()) == 1
    read = (await desk.client.get(f"/v1/records/{record['id']}")).json()
    assert read["retention"]["stage"] == "due"
    future = await desk.client.put(path, json=wanted | {"date": "2026-11-25"})
    assert future.status_code == 422
    assert (await stranger.put(path, json=wanted)).status_code == 404


async def test_a_new_version_changes_records_by_events_only(desk, operator, database, clock):
    declared = await desk.declared(trigger_date="2024-11-24")
    answer = await operator.post("/v1/retention-rules/000.1.5/versions", json=RULE, headers=key())
    assert answer.json()["version"] == 2, answer.text
    before = (await desk.client.get(f"/v1/records/{declared['id']}")).json()["retention"]
    assert (before["rule_version"], before["inactive_until"]) == (1, "2026-11-24")
    async with database.transaction() as session:
        assert await apply_new_rules(session, now=clock.now()) == 1
        assert await apply_new_rules(session, now=clock.now()) == 0
        events = (await session.execute(text("SELECT old, new FROM retention_event"))).all()
    after = (await desk.client.get(f"/v1/records/{declared['id']}")).json()["retention"]
    assert (after["rule_version"], after["inactive_until"]) == (2, "2034-11-24")
    assert [(e.old["inactive_until"], e.new["inactive_until"]) for e in events] == [
        ("2026-11-24", "2034-11-24")
    ]
    versions = (await desk.client.get("/v1/retention-rules/000.1.5/versions")).json()
    assert [one["version"] for one in versions] == [1, 2]


async def test_a_version_announced_for_later_waits_for_its_day(
    desk, operator, database, clock, anonymous
):
    later = RULE | {"valid_from": "2026-12-01"}
    await operator.post("/v1/retention-rules/000.1.5/versions", json=later, headers=key())
    assert (await anonymous.get("/v1/retention-rules/000.1.5")).json()["version"] == 1
    async with database.transaction() as session:
        assert await apply_new_rules(session, now=clock.now()) == 0
    clock.move(timedelta(days=8))
    assert (await anonymous.get("/v1/retention-rules/000.1.5")).json()["version"] == 2


async def test_the_schedule_is_changed_by_the_operator_and_not_backwards(desk, operator):
    path = "/v1/retention-rules/000.1.5/versions"
    assert (await desk.client.post(path, json=RULE, headers=key())).status_code == 403
    past = RULE | {"valid_from": "2026-11-23"}
    assert (await operator.post(path, json=past, headers=key())).status_code == 422
