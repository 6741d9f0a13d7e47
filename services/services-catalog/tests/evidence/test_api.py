"""Once-only evidence: asked for, consented to, shown, used; and every way it must not be."""

from datetime import timedelta
from hashlib import sha256

import orjson
import pytest
from sebalai_services_catalog.batches import in_batches
from sebalai_services_catalog.evidence.actions import end_consents
from sebalai_shared.caller import Caller
from sqlalchemy import text

TYPE = "urn:sebalai:problem:"
PDF = b"%PDF-1.7 contoh"


def problem(answer):
    return answer.status_code, answer.json().get("type", "").removeprefix(TYPE)


async def test_one_consent_and_one_fetch_answer_both_requirements_after_the_person_saw_it(
    draft, consented, step, registry, resident, applicant
):
    request = await draft()
    url = f"/v1/requests/{request['id']}"
    offered = (await applicant.get(f"{url}/evidence")).json()
    wanted = [one for one in offered["requirements"] if one["fetch"]]
    assert {(one["holder"], one["upload"]) for one in wanted} == {("dp3acskb", True)}
    assert len(wanted) == 2
    consent = await consented(request)
    assert consent["codes"] == [one["code"] for one in wanted]
    for _ in range(2):
        answer = await step("preview", request, consent)
        assert answer.status_code == 200, answer.text
        assert answer.headers["cache-control"] == "no-store"
    assert len(registry.asked) == 1
    assert registry.asked[0].body == {"nik": resident.nik}
    shown = answer.json()
    assert shown["document"]["name"] == resident.name
    assert (await applicant.get(url)).json()["answers"] == {}
    used = (await step("acceptance", request, consent)).json()
    assert (used["state"], used["was_used"]) == ("used", True)
    answers = (await applicant.get(url)).json()["answers"]
    for code in consent["codes"]:
        assert answers[code]["kind"] == "evidence"
        assert answers[code]["message_id"] == shown["message_id"]
        kept = await applicant.get(f"{url}/documents/{code}/{shown['sha256']}")
        assert kept.json() == shown["document"]
        assert sha256(kept.content).hexdigest() == shown["sha256"]
    again = await step("preview", request, consent)
    assert problem(again) == (403, "consent-missing")
    receipt = await applicant.get(f"/v1/consents/{consent['id']}/receipt")
    assert receipt.json() == {"message_id": shown["message_id"]}


async def test_without_consent_or_with_that_of_another_request_or_person_nothing_is_fetched(
    draft, consented, step, registry, stranger
):
    first, second, foreign = await draft(), await draft(), await draft(stranger)
    consent = await consented(first)
    assert problem(await step("preview", second, consent)) == (403, "consent-missing")
    assert problem(await step("preview", second, second)) == (403, "consent-missing")
    assert problem(await step("preview", first, consent, stranger)) == (404, "request-unknown")
    assert problem(await step("preview", foreign, consent, stranger)) == (403, "consent-missing")
    assert registry.asked == []


async def test_nobody_consents_for_another_or_without_saying_so(
    draft, stranger, holder, applicant, keys, registry
):
    request = await draft()
    url = f"/v1/requests/{request['id']}/evidence/data-kependudukan/consents"
    body = {"explicit": True, "policy": "2026-1"}
    for client in (stranger, holder):
        answer = await client.post(url, json=body, headers=keys())
        assert answer.status_code == 404
    for wrong in ({"explicit": False}, {"policy": "2025-1"}):
        answer = await applicant.post(url, json=body | wrong, headers=keys())
        assert answer.status_code == 422
    assert (await applicant.post(url, json=body, headers=keys())).status_code == 201
    answer = await applicant.post(url, json=body, headers=keys())
    assert problem(answer) == (409, "consent-open")


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        ("unavailable", (503, "evidence-unavailable")),
        ("refused", (409, "evidence-not-offered")),
        ("no_match", (409, "evidence-no-match")),
    ],
)
async def test_a_failed_fetch_is_told_and_recorded_and_uploading_stays_possible(
    outcome, told, begun, step, registry, applicant
):
    request, consent = await begun()
    registry.fails = outcome
    answer = await step("preview", request, consent)
    assert problem(answer) == told
    whole = (await applicant.get(f"/v1/consents/{consent['id']}")).json()
    assert [(one["act"], one["outcome"]) for one in whole["acts"]] == [
        ("give", None),
        ("fail", outcome),
    ]
    assert whole["acts"][1]["message_id"] == answer.json()["message_id"]
    url = f"/v1/requests/{request['id']}/documents/{consent['codes'][0]}"
    headers = {"Content-Type": "application/pdf"}
    params = {"revision": request["revision"], "name": "ktp.pdf"}
    sent = await applicant.put(url, content=PDF, headers=headers, params=params)
    assert sent.status_code == 200, sent.text
    registry.fails = None
    assert (await step("preview", request, consent)).status_code == 200


async def test_who_guesses_at_another_persons_data_is_stopped(
    draft, consented, step, registry, resident
):
    said = {"nik": resident.nik, "family": "f-999"}
    for _ in range(2):
        request = await draft()
        consent = await consented(request)
        for _ in range(5):
            answer = await step("preview", request, consent, said=said)
            assert problem(answer) == (409, "evidence-no-match")
        answer = await step("preview", request, consent)
        assert problem(answer) == (429, "evidence-fetches-used-up")
    request = await draft()
    answer = await step("preview", request, await consented(request))
    assert problem(answer) == (429, "evidence-fetches-used-up")
    assert len(registry.asked) == 10


@pytest.fixture
def citizen(client_of):
    return client_of(Caller(kind="citizen", subject="warga-7", scopes=frozenset({"openid"})))


async def test_another_persons_number_never_reaches_the_holder(
    citizen, draft, consented, step, registry, resident
):
    request = await draft(citizen)
    consent = await consented(request, citizen)
    for known in ({}, {"warga-7": "1971010101909901"}):
        registry.numbers = known
        answer = await step("preview", request, consent, citizen)
        assert problem(answer) == (403, "evidence-of-another")
    whole = (await citizen.get(f"/v1/consents/{consent['id']}")).json()
    assert [one["outcome"] for one in whole["acts"]] == [None, "other_person", "other_person"]
    assert registry.asked == []
    registry.numbers = {"warga-7": resident.nik}
    assert (await step("preview", request, consent, citizen)).status_code == 200
    assert len(registry.asked) == 1


async def test_who_tries_the_numbers_of_others_is_stopped_and_a_system_is_not_compared(
    citizen, draft, consented, step, registry
):
    for _ in range(2):
        request = await draft(citizen)
        consent = await consented(request, citizen)
        for _ in range(5):
            await step("preview", request, consent, citizen)
    request = await draft(citizen)
    answer = await step("preview", request, await consented(request, citizen), citizen)
    assert problem(answer) == (429, "evidence-fetches-used-up")
    assert len(registry.compared) == 10
    own = await draft()
    assert (await step("preview", own, await consented(own))).status_code == 200
    assert len(registry.compared) == 10


async def test_withdrawal_stops_what_is_to_come_and_tells_what_was_used(
    begun, step, applicant, holder, stranger
):
    (first, one), (second, other) = await begun(), await begun()
    consents = [one, other]
    await step("preview", first, consents[0])
    await step("acceptance", first, consents[0])
    await step("preview", second, consents[1])
    url = f"/v1/consents/{consents[0]['id']}"
    for client, status in ((stranger, 404), (holder, 403)):
        assert (await client.post(f"{url}/withdrawal")).status_code == status
    ended = [
        (await applicant.post(f"/v1/consents/{one['id']}/withdrawal")).json() for one in consents
    ]
    assert [(one["state"], one["was_used"]) for one in ended] == [
        ("withdrawn", True),
        ("withdrawn", False),
    ]
    assert (await applicant.post(f"{url}/withdrawal")).json() == ended[0]
    for what in ("preview", "acceptance"):
        assert problem(await step(what, second, consents[1])) == (403, "consent-missing")
    assert {one["id"] for one in (await holder.get("/v1/consents")).json()["items"]} == {
        one["id"] for one in consents
    }
    assert (await stranger.get("/v1/consents")).json()["items"] == []


async def test_an_answer_that_comes_after_the_withdrawal_is_thrown_away_and_told(
    draft, consented, step, applicant, registry
):
    request = await draft()
    consent = await consented(request)

    async def withdraw():
        await applicant.post(f"/v1/consents/{consent['id']}/withdrawal")

    registry.before_answer = withdraw
    assert problem(await step("preview", request, consent)) == (403, "consent-missing")
    whole = (await applicant.get(f"/v1/consents/{consent['id']}")).json()
    assert [one["act"] for one in whole["acts"]] == ["give", "withdraw", "fail"]
    assert (whole["acts"][2]["outcome"], whole["sha256"]) == ("ended", None)
    assert whole["acts"][2]["message_id"]


async def test_two_previews_at_once_call_the_holder_once(
    draft, consented, step, registry, applicant
):
    request = await draft()
    consent = await consented(request)
    told = []

    async def meanwhile():
        registry.before_answer = None
        told.append(await step("preview", request, consent))

    registry.before_answer = meanwhile
    assert (await step("preview", request, consent)).status_code == 200
    assert problem(told[0]) == (409, "evidence-being-fetched")
    assert len(registry.asked) == 1


async def test_what_nobody_took_is_forgotten_and_an_old_consent_ends(
    begun, step, loaded, clock, applicant
):
    request, consent = await begun()
    await step("preview", request, consent)
    clock.move(timedelta(minutes=30))
    assert problem(await step("acceptance", request, consent))[0] == 409
    assert await in_batches(loaded, clock, end_consents) == 1
    async with loaded.transaction() as session:
        assert (
            await session.scalar(
                text("SELECT count(*) FROM evidence_consent WHERE preview IS NULL")
            )
            == 1
        )
    clock.move(timedelta(days=30))
    assert await in_batches(loaded, clock, end_consents) == 1
    assert await in_batches(loaded, clock, end_consents) == 0
    assert (await applicant.get(f"/v1/consents/{consent['id']}")).json()["state"] == "expired"


async def test_no_number_of_a_person_is_kept_or_told(begun, step, loaded, resident, applicant):
    request, consent = await begun()
    await step("preview", request, consent, said={"nik": resident.nik, "family": "f-999"})
    await step("preview", request, consent)
    await step("acceptance", request, consent)
    found = [orjson.dumps((await applicant.get(f"/v1/consents/{consent['id']}")).json()).decode()]
    async with loaded.transaction() as session:
        for table in (
            "evidence_consent",
            "evidence_consent_act",
            "outbox",
            "service_request",
            "request_act",
        ):
            rows = await session.scalars(text(f"SELECT {table}::text FROM {table}"))  # noqa: S608 - names of ours
            found += rows.all()
        contents = await session.scalars(text("SELECT content FROM request_document"))
        found += [content.decode() for content in contents]
        facts = await session.scalars(
            text("SELECT type FROM outbox WHERE type ~ 'consent|evidence' ORDER BY seq")
        )
        assert [one.split(".")[2] for one in facts] == ["granted", "failed", "fetched", "accepted"]
    assert len(found) > 5
    assert not [row for row in found if resident.nik in row]


async def test_the_directory_says_who_holds_what_and_how_sure_that_is(anonymous):
    answer = await anonymous.get("/v1/evidence-types")
    kinds = {one["code"]: one for one in answer.json()}
    assert kinds["data-kependudukan"]["asks"] == ["nik", "family"]
    assert (kinds["nomor-induk-berusaha"]["over_the_bus"], answer.headers["etag"][:1]) == (
        False, '"'
    )  # fmt: skip
    assert {one["provenance"]["status"] for one in kinds.values()} == {"unverified"}


@pytest.mark.parametrize("end", ["discard", "submit"])
async def test_nothing_is_fetched_for_a_request_that_is_not_written_any_more(
    begun, step, registry, applicant, keys, end
):
    request, consent = await begun()
    url = f"/v1/requests/{request['id']}"
    if end == "submit":
        standard = (await applicant.get(f"/v1/services/{request['service']}")).json()["standard"]
        answers = {one["code"]: {"value": "x"} for one in standard["requirements"]}
        body = {"revision": request["revision"], "answers": answers}
        request = (await applicant.put(f"{url}/answers", json=body)).json()
    body = {"act": end, "revision": request["revision"]}
    moved = await applicant.post(f"{url}/acts", json=body, headers=keys())
    assert moved.status_code == 200, moved.text
    assert problem(await step("preview", request, consent)) == (409, "evidence-not-offered")
    assert registry.asked == []
    assert registry.compared == []
