"""An officer asks the holder for evidence while the file is in hand; consent stays the person's."""

from datetime import datetime, timedelta
from itertools import count

import pytest
from sebalai_services_catalog.requests.jobs import keep_deadlines
from sebalai_shared.testing.http import system

KIND = "data-kependudukan"
PDF = {"content": b"%PDF-1.7 contoh", "headers": {"Content-Type": "application/pdf"}}
TYPE = "urn:sebalai:problem:"
_KEYS = count()


def problem(answer):
    return answer.status_code, answer.json().get("type", "").removeprefix(TYPE)


@pytest.fixture
def officer(client_of):
    return client_of(system("ID-BB/GOV/dinsos-pmd/loket", "catalog.write"))


@pytest.fixture
def outsider(client_of):
    return client_of(system("ID-BB/GOV/dinkes/loket", "catalog.write"))


@pytest.fixture
def operator(client_of):
    return client_of(system("ID-BB/GOV/diskominfo/sebalai", "platform.operate"))


@pytest.fixture
def filed(applicant, officer):
    """A card asked for with typed answers, in the officer's hands."""

    async def make(client=None, **more):
        answers = {code: {"value": code} for code in ("ktp", "kk", "foto")}
        body = {"service": "kartu-disabilitas", "submit": True, "answers": answers, **more}
        headers = {"Idempotency-Key": f"f{next(_KEYS)}"}
        made = await (client or applicant).post("/v1/requests", json=body, headers=headers)
        assert made.status_code == 201, made.text
        return await act(officer, made.json(), "verify")

    return make


async def act(client, request, name, **more):
    body = {"act": name, "revision": request["revision"], **more}
    headers = {"Idempotency-Key": f"k{next(_KEYS)}"}
    url = f"/v1/requests/{request['id']}/acts"
    answer = await client.post(url, json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def ask(client, request, kind=KIND, **more):
    body = {"revision": request["revision"], "reason": "Nama pada KTP berbeda", **more}
    headers = {"Idempotency-Key": f"q{next(_KEYS)}"}
    url = f"/v1/requests/{request['id']}/evidence/{kind}/asks"
    return await client.post(url, json=body, headers=headers)


async def read(client, request):
    return (await client.get(f"/v1/requests/{request['id']}")).json()


async def upload(client, request, code):
    params = {"revision": (await read(client, request))["revision"], "name": "ktp.pdf"}
    url = f"/v1/requests/{request['id']}/documents/{code}"
    return await client.put(url, params=params, **PDF)


async def test_the_holder_answers_after_consent_and_the_file_goes_on_where_it_was(
    filed, officer, applicant, consented, step, registry
):
    request = await filed()
    assert "ask_evidence" in request["possible"]
    asked = (await ask(officer, request)).json()
    assert (asked["asked"], asked["asked_until"]) == (KIND, "2026-11-27T17:00:00Z")
    waiting = await read(applicant, request)
    assert (waiting["state"], waiting["clock"]["mode"]) == ("awaiting_evidence", "running")
    assert waiting["asked"] == {
        "evidence_type": KIND, "holder": "dp3acskb", "codes": ["ktp", "kk"],
    }  # fmt: skip
    assert registry.asked == []
    consent = await consented(request)
    assert registry.asked == []
    assert (await step("preview", request, consent)).status_code == 200
    assert (await step("acceptance", request, consent)).json()["was_used"] is True
    after = await read(officer, request)
    assert (after["state"], after["asked"], after["last_act"]) == (
        "verifying", None, "receive_evidence",
    )  # fmt: skip
    assert {after["answers"][code]["kind"] for code in ("ktp", "kk")} == {"evidence"}
    assert after["answers"]["foto"]["kind"] == "value"
    assert len(registry.asked) == 1
    assert after["clock"]["due_at"] == request["clock"]["due_at"]


async def test_only_an_officer_of_the_request_asks_and_nobody_consents_for_the_person(
    filed, officer, applicant, outsider, holder, registry
):
    request = await filed()
    assert problem(await ask(applicant, request)) == (403, "request-step-refused")
    assert problem(await ask(outsider, request)) == (404, "request-unknown")
    assert (await ask(officer, request)).status_code == 200
    body = {"explicit": True, "policy": "2026-1"}
    url = f"/v1/requests/{request['id']}/evidence/{KIND}/consents"
    for client, told in (
        (officer, (403, "consent-refused")), (holder, (404, "request-unknown"))
    ):  # fmt: skip
        headers = {"Idempotency-Key": f"c{next(_KEYS)}"}
        assert problem(await client.post(url, json=body, headers=headers)) == told
    assert registry.asked == []


async def test_the_person_may_upload_instead_and_change_nothing_else(filed, officer, applicant):
    request = await filed()
    await ask(officer, request)
    assert problem(await upload(applicant, request, "foto"))[0] == 422
    now = await read(applicant, request)
    url, body = f"/v1/requests/{request['id']}/answers", {"revision": now["revision"]}
    typed = await applicant.put(url, json=body | {"answers": {"ktp": {"value": "1"}}})
    assert problem(typed) == (409, "request-answers-locked")
    assert (await upload(applicant, request, "ktp")).json()["state"] == "awaiting_evidence"
    half = await read(applicant, request)
    assert half["asked"]["codes"] == ["kk"]
    assert problem(await upload(applicant, request, "ktp"))[0] == 422
    assert (await upload(applicant, request, "kk")).json()["state"] == "verifying"


async def test_what_does_not_come_in_time_goes_back_to_who_asked_and_the_clock_never_stood(
    filed, officer, applicant, loaded, clock, operator
):
    request = await act(officer, await filed(), "accept")
    until = (await ask(officer, request, working_days=2)).json()["asked_until"]
    day = {"kind": "libur_nasional", "name": "Pilkada", "basis": "Keppres"}
    await operator.put("/v1/calendar/days/2026-11-26", json=day)
    assert (await keep_deadlines(loaded, clock))["redo_windows"] == 1
    moved = (await read(applicant, request))["evidence_by"]
    assert (until, moved) == ("2026-11-26T17:00:00Z", "2026-11-27T17:00:00Z")
    clock.move(datetime.fromisoformat(moved) - clock.now() - timedelta(seconds=1))
    assert (await keep_deadlines(loaded, clock))["end_waiting"] == 0
    clock.move(timedelta(seconds=1))
    assert (await keep_deadlines(loaded, clock))["end_waiting"] == 1
    after = await read(officer, request)
    assert (after["state"], after["last_act"], after["last_actor"]) == (
        "processing", "fail_evidence", "platform",
    )  # fmt: skip
    assert (after["clock"]["mode"], after["clock"]["used"]) == ("running", 2)
    assert problem(await upload(applicant, request, "ktp")) == (409, "request-answers-locked")


async def test_who_asked_may_stop_waiting_and_the_time_is_the_holders(
    filed, officer, clock, client_of
):
    request = await filed()
    await ask(officer, request)
    clock.move(timedelta(hours=5))
    request = await read(officer, request)
    after = await act(officer, request, "fail_evidence", reason="Sudah dilihat di loket")
    assert after["state"] == "verifying"
    head = client_of(system("ID-BB/GOV/dinsos-pmd/kepala", "catalog.decide"))
    held = (await head.get("/v1/performance/agencies")).json()["held"]
    lost = {(one["agency"], one["state"]): one["hours_mean"] for one in held}
    assert lost["dp3acskb", "awaiting_evidence"] == "5.0"


async def test_what_cannot_be_asked_is_told(filed, officer, applicant):
    request = await filed()
    assert problem(await ask(officer, request, "persetujuan-lingkungan")) == (
        409, "evidence-not-offered",
    )  # fmt: skip
    stale = request | {"revision": request["revision"] - 1}
    assert problem(await ask(officer, stale)) == (409, "request-moved-on")
    assert (await ask(officer, request, working_days=15)).status_code == 422
    counter = await filed(officer, channel="loket", assisted={"name": "Ibu Sinta"})
    assert problem(await ask(officer, counter)) == (409, "evidence-nothing-to-ask")
    assert (await ask(officer, request)).status_code == 200
    assert problem(await ask(officer, await read(officer, request))) == (
        409, "request-step-impossible",
    )  # fmt: skip
