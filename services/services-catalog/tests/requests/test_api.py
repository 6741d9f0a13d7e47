"""A request from draft to issued, refused and appealed, as its people see it."""

from datetime import timedelta

import pytest
from sqlalchemy import text

LICENCE = "izin-pengusahaan-air-tanah"
PDF = b"%PDF-1.7 contoh"
TYPE = "urn:sebalai:problem:"
FILED_STATEMENTS = 6
"""Key, service, calendars, the request with its act and task, fact, answer of the key."""


async def types(database, request):
    async with database.transaction() as session:
        query = "SELECT type FROM outbox WHERE document->'data'->>'request_id' = :id ORDER BY seq"
        return list(await session.scalars(text(query), {"id": request.body["id"]}))


async def test_filing_asks_the_database_for_nothing_twice(filed, database):
    """Each statement is a turn to the server; a submit once took eighteen of them."""
    sent = []
    async with database.transaction() as session:
        driver = (await session.connection()).sync_connection.connection.driver_connection
    with driver.query_logger(lambda record: sent.append(" ".join(record.query.split()))):
        await filed()
    asked = [one for one in sent if "SAVEPOINT" not in one]
    assert len(asked) == FILED_STATEMENTS, asked
    assert [one for one in asked if one.startswith("UPDATE service_request")] == []


async def test_a_request_is_filed_verified_worked_on_and_issued(
    filed, officer, signer, finish_tasks, loaded
):
    request = await filed()
    assert request.body["state"] == "submitted"
    assert request.body["clock"]["due_text"] == (
        "hari kerja ke-0 dari 3, jatuh tempo Jumat 27 November 2026"
    )
    await request.done("verify", officer)
    body = await request.done("accept", officer)
    assert [(task["role"], task["state"]) for task in body["tasks"]] == [
        ("front_office", "done"),
        ("officer", "open"),
        ("signer", "waiting"),
    ]
    answer = await request.act("issue", signer, number="1/SKP/2026")
    assert (answer.status_code, answer.json()["type"]) == (409, f"{TYPE}request-work-left")
    await finish_tasks(request, officer)
    body = await request.done("issue", signer, number="1/SKP/2026")
    assert body["state"] == "issued"
    assert body["product"]["number"] == "1/SKP/2026"
    assert body["clock"]["mode"] == "stopped"
    assert body["clock"]["late"] is False
    history = (await request.client.get(f"/v1/requests/{body['id']}/history")).json()["acts"]
    assert [(act["act"], act["role"]) for act in history] == [
        ("submit", "applicant"),
        ("verify", "front_office"),
        ("accept", "front_office"),
        ("complete_task", "officer"),
        ("issue", "signer"),
    ]
    assert await types(loaded, request) == [
        f"catalog.request.{past}.v1"
        for past in ("submitted", "verification_started", "accepted", "task_completed", "issued")
    ]


async def test_no_fact_of_a_request_holds_an_answer_a_name_or_a_ticket(filed, officer, loaded):
    request = await filed(client=officer, assisted={"name": "Ibu Sinta"}, channel="loket")
    async with loaded.transaction() as session:
        told = " ".join(await session.scalars(text("SELECT document::text FROM outbox")))
    assert request.body["ticket"] not in told
    assert "Sinta" not in told
    assert "isi ktp" not in told


async def test_a_returned_file_stops_the_clock_and_opens_only_what_was_marked(
    filed, officer, clock
):
    request = await filed()
    await request.done("verify", officer)
    clock.move(timedelta(days=1))
    marks = [{"code": "proposal", "reason": "Tujuan belum jelas"}]
    body = await request.done("return", officer, reason="Perbaiki proposal", marks=marks)
    assert (body["state"], body["marks"], body["clock"]["mode"]) == ("returned", marks, "paused")
    assert body["reply_by"] == "2026-12-15T17:00:00Z"
    answer = await request.act("resubmit")
    assert answer.json()["errors"] == [
        {"pointer": "/answers/proposal", "detail": "Tujuan belum jelas"}
    ]
    url = f"/v1/requests/{body['id']}/answers"
    wrong = {"revision": body["revision"], "answers": {"ktp": {"value": "lain"}}}
    assert (await request.client.put(url, json=wrong)).status_code == 422
    clock.move(timedelta(days=6))
    right = {"revision": body["revision"], "answers": {"proposal": {"value": "baru"}}}
    request.body = (await request.client.put(url, json=right)).json()
    body = await request.done("resubmit")
    assert (body["state"], body["marks"]) == ("verifying", [])
    # One of three working days was used; the file was away from Wednesday to Tuesday.
    assert body["clock"]["used"] == 1
    assert body["clock"]["due_at"] == "2026-12-03T17:00:00Z"


async def test_a_fixed_fee_waits_for_payment_and_the_promise_for_acceptance(filed, officer):
    request = await filed(LICENCE)
    assert request.body["clock"]["mode"] == "off"
    await request.done("verify", officer)
    body = await request.done("accept", officer)
    assert (body["state"], body["possible"]) == ("awaiting_payment", ["withdraw"])


async def test_a_refusal_names_law_and_last_day_and_the_appeal_goes_to_another(
    processing, signer, superior, outsider
):
    request = await processing()
    body = await request.done(
        "refuse", signer, reason="Lokasi tidak diizinkan", legal_basis="permendagri-3-2018"
    )
    assert (body["state"], body["appeal_until"]) == ("refused", "2026-12-23T17:00:00Z")
    body = await request.done("appeal", reason="Lokasi sudah diperbaiki")
    assert (body["state"], body["appeal_due_at"]) == ("appeal", "2026-12-08T17:00:00Z")
    answer = await request.act("overturn", signer, reason="x")
    assert (answer.status_code, answer.json()["type"]) == (403, f"{TYPE}request-step-refused")
    body = await request.done("overturn", superior, reason="Keberatan diterima")
    assert (body["state"], body["clock"]["mode"]) == ("processing", "running")
    open_tasks = [task["what"] for task in body["tasks"] if task["state"] == "open"]
    assert open_tasks == ["Memutus permohonan kembali"]
    await request.done("refuse", signer, reason="Tetap", legal_basis="permendagri-3-2018")
    answer = await request.act("appeal", reason="lagi")
    assert (answer.status_code, answer.json()["possible"]) == (409, [])


async def test_an_appeal_after_its_last_day_is_too_late(processing, signer, clock):
    request = await processing()
    await request.done("refuse", signer, reason="x", legal_basis="permendagri-3-2018")
    clock.move(timedelta(days=30))
    answer = await request.act("appeal", reason="terlambat")
    assert (answer.status_code, answer.json()["type"]) == (409, f"{TYPE}appeal-too-late")


async def test_a_file_that_is_not_ours_is_handed_over(filed, officer):
    request = await filed()
    await request.done("verify", officer)
    body = await request.done(
        "hand_over", officer, to="Kota Pangkalpinang", reason="Kewenangan kota"
    )
    assert (body["state"], body["handed_to"]) == ("handed_over", "Kota Pangkalpinang")
    assert all(task["state"] == "cancelled" for task in body["tasks"])


async def test_an_incomplete_request_names_every_requirement(applicant):
    body = {"service": "izin-penelitian", "submit": True, "answers": {"ktp": {"value": "x"}}}
    answer = await applicant.post("/v1/requests", json=body, headers={"Idempotency-Key": "i1"})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [
        "/answers/proposal",
        "/answers/pengantar",
    ]
    assert (await applicant.get("/v1/requests")).json()["items"] == []


async def test_a_draft_is_filled_in_parts_and_submitted(filed, applicant):
    request = await filed(submit=False, answers={})
    url = f"/v1/requests/{request.body['id']}"
    for code in ("proposal", "ktp"):
        body = {"revision": request.body["revision"], "answers": {code: {"value": "x"}}}
        request.body = (await applicant.put(f"{url}/answers", json=body)).json()
    stale = await applicant.put(f"{url}/answers", json={"revision": 1, "answers": {}})
    assert (stale.status_code, stale.json()["revision"]) == (409, 3)
    headers = {"Content-Type": "application/pdf"}
    answer = await applicant.put(
        f"{url}/documents/pengantar?name=surat.pdf&revision=3", content=PDF, headers=headers
    )
    request.body = answer.json()
    sha256 = request.body["answers"]["pengantar"]["sha256"]
    assert (await request.done("submit"))["state"] == "submitted"
    got = await applicant.get(f"{url}/documents/pengantar/{sha256}")
    assert (got.content, got.headers["content-type"]) == (PDF, "application/pdf")


@pytest.mark.parametrize(
    ("kind", "content", "status"),
    [
        ("application/pdf", b"MZ", 422),
        ("text/html", b"<html>", 422),
        ("application/pdf", b"%PDF-" + b"x" * (5 * 1024 * 1024), 413),
        ("application/pdf", b"", 422),
    ],
)
async def test_a_document_of_another_kind_or_size_is_refused(filed, kind, content, status):
    request = await filed(submit=False)
    answer = await request.client.put(
        f"/v1/requests/{request.body['id']}/documents/ktp?name=x&revision=1",
        content=content,
        headers={"Content-Type": kind},
    )
    assert answer.status_code == status
    assert (await request.read())["revision"] == 1


async def test_a_counter_officer_files_for_somebody_and_nobody_else_may(
    filed, officer, outsider, colleague, applicant
):
    assisted = {"name": "Pak Amat"}
    request = await filed(client=officer, assisted=assisted, channel="loket")
    receipt = (await officer.get(f"/v1/requests/{request.body['id']}/receipt")).json()
    assert receipt["received_from"] == "Pak Amat"
    assert receipt["status_url"].endswith(request.body["ticket"])
    assert (await request.act("withdraw", colleague, reason="diminta")).status_code == 200
    body = {"service": "izin-penelitian", "assisted": assisted}
    for client in (outsider, applicant):
        answer = await client.post("/v1/requests", json=body, headers={"Idempotency-Key": "x"})
        assert answer.status_code == 403


async def test_an_original_shown_at_the_counter_counts_only_from_an_officer(
    filed, officer, applicant
):
    request = await filed(client=officer, assisted={"name": "A"}, submit=False)
    url = f"/v1/requests/{request.body['id']}/answers"
    body = {"revision": 1, "answers": {"ktp": {"shown": True}}}
    assert (await officer.put(url, json=body)).json()["answers"]["ktp"]["kind"] == "shown"
    mine = await filed(submit=False)
    url = f"/v1/requests/{mine.body['id']}/answers"
    assert (await applicant.put(url, json=body)).status_code == 422


async def test_status_by_ticket_needs_no_login_and_shows_no_person(filed, anonymous, officer):
    request = await filed(client=officer, assisted={"name": "Ibu Sinta"})
    written = request.body["ticket"].lower().replace("-", " ")
    answer = await anonymous.get(f"/v1/tickets/{written}")
    told = answer.json()
    assert (told["state"], told["held_by"]) == ("submitted", "agency")
    assert told["service_name"] == "Surat Keterangan Penelitian"
    assert "Sinta" not in answer.text
    assert "isi" not in answer.text
    for wrong in ("BB-26-0000-0000-1", "apa saja", "%00"):
        assert (await anonymous.get(f"/v1/tickets/{wrong}")).status_code in (404, 422)
    draft = await filed(submit=False)
    assert (await anonymous.get(f"/v1/tickets/{draft.body['ticket']}")).status_code == 404


async def test_the_receipt_has_a_qr_code_and_a_draft_has_none(filed, applicant):
    request = await filed()
    image = await applicant.get(f"/v1/requests/{request.body['id']}/receipt.svg")
    assert (image.headers["content-type"], image.content[:5]) == ("image/svg+xml", b"<?xml")
    draft = await filed(submit=False)
    for end in ("receipt", "receipt.svg"):
        assert (await applicant.get(f"/v1/requests/{draft.body['id']}/{end}")).status_code == 404


async def test_others_see_neither_request_nor_document(
    filed, outsider, client_of, anonymous, officer
):
    request = await filed()
    url = f"/v1/requests/{request.body['id']}"
    assert (await outsider.get(url)).status_code == 404
    assert (await outsider.get(f"{url}/history")).status_code == 404
    assert (await request.act("withdraw", outsider, reason="x")).status_code == 404
    assert (await anonymous.get(url)).status_code == 401
    draft = await filed(submit=False)
    assert (await officer.get(f"/v1/requests/{draft.body['id']}")).status_code == 404
    assert (await outsider.get("/v1/requests")).json()["items"] == []


async def test_a_suspended_service_takes_no_requests(loaded, signer, applicant):
    await signer.post("/v1/services/izin-penelitian/suspension", json={"reason": "Gangguan"})
    body = {"service": "izin-penelitian"}
    answer = await applicant.post("/v1/requests", json=body, headers={"Idempotency-Key": "s"})
    assert (answer.status_code, answer.json()["detail"]) == (409, "Gangguan")


async def test_a_request_keeps_the_standard_it_was_filed_under(filed, officer, signer):
    request = await filed()
    url = "/v1/services/izin-penelitian/draft"
    standard = (await officer.get("/v1/services/izin-penelitian")).json()["standard"]
    standard["duration"]["value"] = 9
    await officer.put(url, json={"revision": 0, "standard": standard})
    await officer.post(f"{url}/review")
    assert (await signer.post(f"{url}/publication")).json()["version"] == 2
    assert (await request.read())["clock"]["term"] == 3
    assert (await filed()).body["clock"]["term"] == 9


@pytest.mark.parametrize(
    "act", ["verify", "accept", "issue", "return", "resubmit", "appeal", "overturn"]
)
async def test_an_act_out_of_turn_says_what_is_possible(filed, officer, act):
    request = await filed(submit=False, client=officer, assisted={"name": "A"})
    more = {
        "issue": {"number": "1"}, "appeal": {"reason": "x"}, "overturn": {"reason": "x"},
        "return": {"reason": "x", "marks": [{"code": "ktp", "reason": "x"}]},
    }.get(act, {})  # fmt: skip
    answer = await request.act(act, officer, **more)
    assert (answer.status_code, answer.json()["possible"]) == (409, ["discard", "submit"])


@pytest.mark.parametrize(
    "body",
    [
        {"act": "fly", "revision": 1},
        {"act": "pay", "revision": 1},
        {"act": "verify"},
        {"act": "return", "revision": 1, "reason": "x", "marks": []},
        {"act": "refuse", "revision": 1, "reason": "x"},
        {"act": "verify", "revision": 1, "extra": 1},
    ],
)
async def test_a_malformed_act_is_refused(filed, body):
    request = await filed()
    url = f"/v1/requests/{request.body['id']}/acts"
    answer = await request.client.post(url, json=body, headers={"Idempotency-Key": "m"})
    assert answer.status_code == 422
