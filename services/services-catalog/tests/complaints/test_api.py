from datetime import timedelta
from itertools import count

import pytest
from sebalai_services_catalog.batches import in_batches
from sebalai_services_catalog.complaints.actions import keep_deadlines, redo_deadlines
from sebalai_shared.testing.http import system
from sqlalchemy import text

KEYS = count()
BODY = {
    "kind": "pengaduan", "title": "Loket tutup lebih awal",
    "body": "Loket tutup pukul 13 padahal jadwalnya 15.", "service": "izin-penelitian",
}  # fmt: skip


@pytest.fixture
def reporter(client_of):
    return client_of(system("ID-BB/GOV/diskominfo/portal"))


@pytest.fixture
def desk(client_of):
    return client_of(system("ID-BB/GOV/diskominfo/pengaduan", "catalog.write"))


@pytest.fixture
def office(client_of):
    return client_of(system("ID-BB/GOV/dpmptsp/loket", "catalog.write"))


@pytest.fixture
def stranger(client_of):
    return client_of(system("ID-BB/GOV/bakuda/pajak", "catalog.write", "catalog.decide"))


async def file(client, **more):
    headers = {"Idempotency-Key": f"c{next(KEYS)}"}
    answer = await client.post("/v1/complaints", json=BODY | more, headers=headers)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def act(client, body, name, **more):
    url = f"/v1/complaints/{body['id']}/acts"
    return await client.post(url, json={"act": name, "revision": body["revision"], **more})


async def done(client, body, name, **more):
    answer = await act(client, body, name, **more)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def answered(desk, office, body):
    body = await done(desk, body, "verify")
    body = await done(desk, body, "forward", agency="dpmptsp")
    body = await done(office, body, "take_up")
    return await done(office, body, "answer", text="Jadwal loket sudah diperbaiki.")


async def facts(database, kind):
    async with database.transaction() as session:
        query = text("SELECT document->'data' FROM outbox WHERE type = :kind ORDER BY seq")
        return list(await session.scalars(query, {"kind": f"catalog.complaint.{kind}.v1"}))


async def test_a_complaint_goes_from_receipt_to_closed_with_a_limit_each(
    reporter, desk, office, anonymous
):
    body = await file(reporter)
    assert (body["agency"], body["deadline_at"]) == ("dpmptsp", "2026-11-27T17:00:00Z")
    body = await done(desk, body, "verify")
    body = await done(desk, body, "forward", agency="dpmptsp", needs_examination=True)
    assert body["deadline_at"] == "2026-12-01T17:00:00Z"
    body = await done(office, body, "take_up")
    assert body["category"] == "pengaduan_berkadar_pengawasan"
    body = await done(office, body, "answer", text="Sudah diperbaiki.")
    told = (await anonymous.get(f"/v1/complaints/status/{body['ticket']}")).json()
    assert (told["state"], told["answer"]) == ("sedang_diproses", "Sudah diperbaiki.")
    body = await done(reporter, body, "reply", text="Belum, masih tutup.")
    assert body["state"] == "in_follow_up"
    body = await done(office, body, "answer", text="Diperiksa lagi.")
    body = await done(reporter, body, "close")
    assert (body["state"], body["public_state"], body["deadline_at"]) == ("closed", "selesai", None)


async def test_an_anonymous_reporter_is_known_to_nobody_and_answers_with_a_code(
    reporter, desk, office, anonymous, loaded
):
    body = await file(reporter, anonymous=True, reporter_name="Ibu Sinta")
    code = body["reply_code"]
    seen = (await desk.get(f"/v1/complaints/{body['id']}")).text
    assert "Sinta" not in seen
    assert (await reporter.get(f"/v1/complaints/{body['id']}")).status_code == 404
    body = await answered(desk, office, body)
    wrong = await act(anonymous, body, "close", code="bukan-kode")
    assert wrong.status_code == 404
    body = await done(anonymous, body, "close", code=code)
    async with loaded.transaction() as session:
        rows = await session.execute(text("SELECT reporter, reporter_name FROM complaint"))
        assert rows.one() == (None, None)
        actors = await session.scalars(
            text("SELECT actor FROM complaint_act WHERE role = 'reporter'")
        )
        assert list(actors) == ["reporter"]


async def test_a_secret_complaint_shows_the_public_only_its_state(reporter, anonymous):
    body = await file(reporter, secret=True)
    told = (await anonymous.get(f"/v1/complaints/status/{body['ticket']}")).json()
    assert (told["title"], told["answer"], told["state"]) == (None, None, "belum_ditindaklanjuti")


async def test_a_wrong_agency_passes_it_on_and_loses_sight_of_it(reporter, desk, office, stranger):
    body = await file(reporter)
    body = await done(desk, body, "verify")
    body = await done(desk, body, "forward", agency="dpmptsp")
    assert (await stranger.get(f"/v1/complaints/{body['id']}")).status_code == 404
    body = await done(office, body, "reassign", agency="bakuda", text="Bukan loket kami")
    assert (body["agency"], body["state"]) == ("bakuda", "forwarded")
    assert (await office.get(f"/v1/complaints/{body['id']}")).status_code == 404
    assert (await done(stranger, body, "take_up"))["state"] == "in_follow_up"


async def test_a_missed_limit_is_told_once_a_stage_and_changes_no_state(
    reporter, desk, loaded, clock
):
    body = await file(reporter)
    clock.move(timedelta(days=10))
    assert await in_batches(loaded, clock, keep_deadlines) == 1
    assert await in_batches(loaded, clock, keep_deadlines) == 0
    body = await done(desk, (await desk.get(f"/v1/complaints/{body['id']}")).json(), "verify")
    assert await in_batches(loaded, clock, keep_deadlines) == 1
    told = await facts(loaded, "breached")
    assert [fact["state_after"] for fact in told] == ["received", "verifying"]


async def test_an_answer_nobody_answers_back_closes_after_ten_days(
    reporter, desk, office, loaded, clock
):
    body = await answered(desk, office, await file(reporter))
    clock.move(timedelta(days=10))
    assert await in_batches(loaded, clock, keep_deadlines) == 0
    clock.move(timedelta(days=1))
    assert await in_batches(loaded, clock, keep_deadlines) == 1
    read = (await desk.get(f"/v1/complaints/{body['id']}")).json()
    assert (read["state"], read["breached_stage"]) == ("closed", None)
    assert len(await facts(loaded, "expired")) == 1


async def test_out_of_turn_stale_and_strange_are_told_apart(reporter, desk, office, anonymous):
    body = await file(reporter)
    impossible = await act(desk, body, "answer", text="x")
    assert (impossible.status_code, impossible.json()["possible"]) == (409, ["verify"])
    assert (await act(office, body, "verify")).status_code == 404
    assert (await act(reporter, body, "verify")).status_code == 403
    await done(desk, body, "verify")
    stale = await act(desk, body, "verify")
    assert (stale.status_code, stale.json()["type"]) == (
        409,
        "urn:sebalai:problem:complaint-moved-on",
    )
    assert (await anonymous.get("/v1/complaints")).status_code == 401
    assert (await anonymous.get("/v1/complaints/status/BB-26-0000-0000-1")).status_code == 404
    short = await reporter.post(
        "/v1/complaints", json=BODY | {"body": "x"}, headers={"Idempotency-Key": "z"}
    )
    assert short.status_code == 422


async def test_facts_hold_neither_text_nor_name(reporter, loaded):
    await file(reporter, reporter_name="Ibu Sinta")
    async with loaded.transaction() as session:
        told = " ".join(await session.scalars(text("SELECT document::text FROM outbox")))
    assert "Sinta" not in told
    assert "13 padahal" not in told


async def test_an_agency_learns_of_a_complaint_when_it_is_forwarded_to_it(reporter, desk, office):
    body = await file(reporter)
    url = f"/v1/complaints/{body['id']}"
    assert (await office.get(url)).status_code == 404
    assert (await office.get("/v1/complaints")).json()["items"] == []
    body = await done(desk, await done(desk, body, "verify"), "forward", agency="dpmptsp")
    assert (await office.get(url)).status_code == 200
    assert len((await office.get("/v1/complaints")).json()["items"]) == 1


async def test_what_was_said_stays_readable_to_both_sides_and_nobody_else(
    reporter, desk, office, stranger, anonymous
):
    body = await answered(desk, office, await file(reporter))
    body = await done(reporter, body, "reply", text="Belum, masih tutup.")
    url = f"/v1/complaints/{body['id']}/acts"
    for client in (office, reporter, desk):
        said = [(act["act"], act["role"], act["text"]) for act in (await client.get(url)).json()]
        assert said[-1] == ("reply", "reporter", "Belum, masih tutup.")
        assert said[-2][2] == "Jadwal loket sudah diperbaiki."
    for client in (stranger, anonymous):
        assert (await client.get(url)).status_code == 404


async def test_an_anonymous_complaint_about_a_request_does_not_lead_to_its_applicant(
    client_of, desk
):
    applicant = client_of(system("ID-BB/COM/pt-timah-jaya/kantor"))
    body = {"service": "izin-penelitian"}
    headers = {"Idempotency-Key": "anon"}
    request = (await applicant.post("/v1/requests", json=body, headers=headers)).json()
    filed = await file(applicant, request=request["id"], anonymous=True, service=None)
    seen = (await desk.get(f"/v1/complaints/{filed['id']}")).json()
    assert (seen["request_id"], seen["service"]) == (None, "izin-penelitian")
    named = await file(applicant, request=request["id"], service=None)
    assert named["request_id"] == request["id"]


async def test_a_changed_calendar_moves_an_agencys_limit_and_never_shortens_the_reporters(
    reporter, desk, office, client_of, loaded, clock
):
    operator = client_of(system("ID-BB/GOV/diskominfo/sebalai", "platform.operate"))
    waiting = await done(desk, await file(reporter), "verify")
    said = await answered(desk, office, await file(reporter))
    day = {"kind": "libur_nasional", "name": "Pilkada", "basis": "Keppres"}

    async def limits():
        assert await in_batches(loaded, clock, redo_deadlines) == 2
        assert await in_batches(loaded, clock, redo_deadlines) == 0
        read = [(await desk.get(f"/v1/complaints/{one['id']}")).json() for one in (waiting, said)]
        return [one["deadline_at"] for one in read]

    before = [waiting["deadline_at"], said["deadline_at"]]
    await operator.put("/v1/calendar/days/2026-11-26", json=day)
    after = await limits()
    assert after[0] > before[0]
    assert after[1] >= before[1]
    await operator.delete("/v1/calendar/days/2026-11-26")
    assert await limits() == [before[0], after[1]]
    told = await facts(loaded, "rescheduled")
    assert {fact["complaint_id"] for fact in told} >= {waiting["id"]}
