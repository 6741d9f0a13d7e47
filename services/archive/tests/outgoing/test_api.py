import asyncio
import hashlib
import os

import pytest
from sebalai_archive.copies import Copies
from sebalai_archive.disposals.jobs import Stores, erase_destroyed
from sebalai_archive.seals.jobs import sweep_content
from sebalai_archive.signing.signer import SigningUnavailable
from sebalai_archive.storing import content_store_of
from sebalai_shared.caller import Caller
from sebalai_shared.ids import uuid7
from sebalai_shared.testing.http import in_process, system
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

AGENCY = "ID-BB/GOV/dinsos-pmd/"


def key():
    return {"idempotency-key": str(uuid7())}


class Failing:
    """A key that is away."""

    def __init__(self, error):
        self.error = error

    async def sign(self, *_):
        raise self.error


async def test_a_letter_goes_from_draft_to_the_agency_it_is_for(
    people, verified, app, anonymous, database, register
):
    signed = (await people["kepala"].act(verified, "signature")).json()
    assert (signed["state"], signed["number"]) == ("signed", "000.1.5/001/DINSOS/XI/2026")
    assert await register() == [(1, "issued")]
    sent = (await people["konsep"].act(verified, "sending")).json()
    assert sent["state"] == "sent"

    record = (await people["kepala"].http.get(f"/v1/records/{sent['record_id']}")).json()
    content = await people["kepala"].http.get(f"/v1/records/{sent['record_id']}/content")
    code = sent["verification"].rsplit("/", 1)[1]
    public = (await anonymous.get(f"/v1/verifications/{code}")).json()
    assert public["content_sha256"] == hashlib.sha256(content.content).hexdigest()
    assert (public["number"], public["signer_name"]) == (sent["number"], "Sari")
    assert public["signer_position"] == "Plt. Kepala Dinas Sosial"
    assert public["receipt"] == record["receipt"]
    assert b"Undangan" not in str(public).encode()

    async with database.transaction() as session:
        facts = (await session.scalars(text("SELECT document::text FROM outbox"))).all()
    told = [fact for fact in facts if "archive.letter.dispatched.v1" in fact]
    assert len(told) == 1
    assert "dinkes" in told[0]
    assert "Undangan" not in told[0]
    assert "Sari" not in told[0]


async def test_a_sent_letter_waits_at_the_other_agency_for_its_agenda_number(
    people, verified, client_of
):
    await people["kepala"].act(verified, "signature")
    office = client_of(system("ID-BB/GOV/dinkes/surat", "archive.write"))
    assert (await office.get("/v1/incoming-letters")).json()["items"] == []
    sent = (await people["konsep"].act(verified, "sending")).json()
    (arrived,) = (await office.get("/v1/incoming-letters")).json()["items"]
    assert (arrived["agenda"], arrived["channel"]) == (None, "bus")
    assert (arrived["sender"], arrived["letter_number"]) == ("dinsos-pmd", sent["number"])
    content = await office.get(f"/v1/incoming-letters/{arrived['id']}/content")
    assert content.content.startswith(b"%PDF-1.7")
    address = f"/v1/incoming-letters/{arrived['id']}/registration"
    registered = (await office.post(address, json={"addressed_to": "kepala-dinkes"})).json()
    assert registered["agenda"] == "1/2026"
    assert (await office.post(address, json={"addressed_to": "x"})).status_code == 409


async def test_every_act_is_written_with_who_and_when(people, verified):
    await people["kepala"].act(verified, "signature")
    letter = (await people["konsep"].http.get(f"/v1/outgoing-letters/{verified['id']}")).json()
    acts = [(act["act"], act["actor"]) for act in letter["acts"]]
    assert acts == [
        ("submit", people["konsep"].subject),
        ("verify", people["paraf1"].subject),
        ("verify", people["paraf2"].subject),
        ("number", people["kepala"].subject),
        ("sign", people["kepala"].subject),
    ]


@pytest.mark.parametrize(
    ("who", "step"),
    [
        ("paraf2", "paraf"),
        ("konsep", "paraf"),
        ("kepala", "paraf"),
        ("konsep", "return"),
        ("paraf1", "cancellation"),
    ],
)
async def test_a_step_of_somebody_else_is_refused(people, draft, who, step):
    await people["konsep"].act(draft, "submission")
    body = {} if step == "paraf" else {"note": "Mohon diperbaiki"}
    assert (await people[who].act(draft, step, **body)).status_code == 403


@pytest.mark.parametrize("who", ["konsep", "paraf1", "paraf2"])
async def test_only_the_named_signer_signs(people, verified, who, register):
    assert (await people[who].act(verified, "signature")).status_code == 403
    assert await register() == []


@pytest.mark.parametrize(
    ("step", "who"),
    [("signature", "kepala"), ("sending", "konsep"), ("paraf", "paraf1"), ("return", "paraf1")],
)
async def test_no_step_of_a_draft_is_skipped(people, draft, step, who):
    body = {"note": "x"} if step == "return" else {}
    assert (await people[who].act(draft, step, **body)).status_code == 409


async def test_a_returned_letter_is_changed_and_verified_anew(people, draft, wanted):
    await people["konsep"].act(draft, "submission")
    await people["paraf1"].act(draft, "paraf")
    back = (await people["paraf2"].act(draft, "return", note="Tanggal keliru")).json()
    assert (back["state"], back["verified"]) == ("draft", 0)
    changed = await people["konsep"].http.put(
        f"/v1/outgoing-letters/{draft['id']}", json=wanted | {"subject": "Undangan rapat"}
    )
    assert changed.json()["subject"] == "Undangan rapat"
    await people["konsep"].act(draft, "submission")
    assert (await people["paraf2"].act(draft, "paraf")).status_code == 403


@pytest.mark.parametrize("part", ["verifier", "signer"])
async def test_nobody_has_two_parts_in_a_letter(people, wanted, part):
    me = people["konsep"].subject
    if part == "signer":
        wanted["signer"]["subject"] = me
    else:
        wanted["verifiers"] = [me]
    answer = await people["konsep"].http.post(
        "/v1/outgoing-letters", json=wanted, headers={"idempotency-key": str(uuid7())}
    )
    assert answer.status_code == 422
    pointer = "/signer/subject" if part == "signer" else "/verifiers"
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_verifier_and_signer_read_the_text_before_they_put_their_name_to_it(
    people, draft, wanted
):
    for who in ("paraf1", "kepala"):
        seen = (await people[who].http.get(f"/v1/outgoing-letters/{draft['id']}")).json()
        assert (seen["paragraphs"], seen["place"]) == (wanted["paragraphs"], "Pangkalpinang")


@pytest.mark.parametrize(
    ("security_class", "status"),
    [("biasa", 200), ("terbatas", 200), ("rahasia", 404), ("sangat_rahasia", 404)],
)
async def test_a_colleague_without_a_part_reads_a_letter_by_its_class(
    people, wanted, client_of, security_class, status
):
    made = await people["konsep"].http.post(
        "/v1/outgoing-letters", json=wanted | {"security_class": security_class}, headers=key()
    )
    address = f"/v1/outgoing-letters/{made.json()['id']}"
    colleague = client_of(system(AGENCY + "lain", "archive.write"))
    operator = client_of(system("ID-BB/GOV/diskominfo/operasi", "platform.operate"))
    for other in (colleague, operator):
        assert (await other.get(address)).status_code == status
        listed = (await other.get("/v1/outgoing-letters")).json()["items"]
        assert len(listed) == (status == 200)
        assert (await other.post(f"{address}/paraf")).status_code in {404, 409}
    for name in ("konsep", "paraf1", "paraf2", "kepala"):
        assert (await people[name].http.get(address)).status_code == 200


async def test_a_person_without_a_scope_signs_even_what_it_may_not_read_as_a_record(
    people, wanted, app, asserter, template
):
    head = Caller(kind="civil_servant", subject="kepala-dinas", agency="dinsos-pmd")
    signer = wanted["signer"] | {"subject": head.subject}
    body = wanted | {"security_class": "rahasia", "signer": signer, "verifiers": []}
    http = people["konsep"].http
    await http.post("/v1/number-templates", json=template, headers=key())
    letter = (await http.post("/v1/outgoing-letters", json=body, headers=key())).json()
    await people["konsep"].act(letter, "submission")
    hers = in_process(app, asserter.headers(head, "archive"))
    signed = await hers.post(f"/v1/outgoing-letters/{letter['id']}/signature")
    assert (signed.status_code, signed.json().get("state")) == (200, "signed")


async def test_a_letter_that_is_numbered_and_not_signed_verifies_as_nothing(
    people, verified, app, anonymous
):
    app.state.signer = Failing(SigningUnavailable("no certificate"))
    await people["kepala"].act(verified, "signature")
    letter = (await people["konsep"].http.get(f"/v1/outgoing-letters/{verified['id']}")).json()
    assert letter["state"] == "numbered"
    code = letter["verification"].rsplit("/", 1)[1]
    assert (await anonymous.get(f"/v1/verifications/{code}")).status_code == 404


async def test_a_letter_cancelled_while_its_signature_is_made_stays_cancelled(
    people, verified, app, register
):
    class Cancelling:
        """A slow key, during whose work the drafter cancels."""

        def __init__(self, signer):
            self.signer = signer

        async def sign(self, pdf, intent, unlock):
            gone = await people["konsep"].act(verified, "cancellation", note="Batal")
            assert gone.status_code == 200
            return await self.signer.sign(pdf, intent, unlock)

    app.state.signer = Cancelling(app.state.signer)
    assert (await people["kepala"].act(verified, "signature")).status_code == 409
    assert await register() == [(1, "void")]
    letter = (await people["konsep"].http.get(f"/v1/outgoing-letters/{verified['id']}")).json()
    assert (letter["state"], letter["record_id"]) == ("cancelled", None)


@pytest.mark.parametrize("column", ["subject", "paragraphs", "number_text"])
async def test_the_database_keeps_the_text_of_a_numbered_letter(
    people, verified, app, database, column
):
    app.state.signer = Failing(SigningUnavailable("no certificate"))
    await people["kepala"].act(verified, "signature")
    value = "'[]'" if column == "paragraphs" else "'lain'"
    with pytest.raises(IntegrityError, match="does not change"):
        async with database.transaction() as session:
            await session.execute(text(f"UPDATE outgoing_letter SET {column} = {value}"))  # noqa: S608


async def test_a_received_letter_outlives_the_senders_destroyed_record(
    people, verified, client_of, database, settings, clock, *, destroy
):
    await people["kepala"].act(verified, "signature")
    sent = (await people["konsep"].act(verified, "sending")).json()
    await destroy(sent["record_id"])
    content = content_store_of(settings)
    for path in (settings.content_dir / "cas").rglob("*"):
        os.utime(path, (0, 0))
    stores = Stores(content, Copies(content.place, None))
    assert await erase_destroyed(database, stores, clock) == 1
    assert await sweep_content(database, content, clock) == 0
    office = client_of(system("ID-BB/GOV/dinkes/surat", "archive.write"))
    (arrived,) = (await office.get("/v1/incoming-letters")).json()["items"]
    address = f"/v1/incoming-letters/{arrived['id']}/content"
    assert (await office.get(address)).status_code == 200
    own = await people["kepala"].http.get(f"/v1/records/{sent['record_id']}/content")
    assert own.status_code == 410


async def test_signing_that_broke_goes_on_with_the_same_number(people, verified, app, register):
    whole, app.state.signer = app.state.signer, Failing(asyncio.CancelledError())
    with pytest.raises(asyncio.CancelledError):
        await people["kepala"].act(verified, "signature")
    assert await register() == [(1, "reserved")]
    app.state.signer = whole
    signed = (await people["kepala"].act(verified, "signature")).json()
    assert signed["number"] == "000.1.5/001/DINSOS/XI/2026"
    assert await register() == [(1, "issued")]


async def test_a_cancelled_letter_voids_its_number(people, verified, app, register):
    app.state.signer = Failing(SigningUnavailable("no certificate"))
    assert (await people["kepala"].act(verified, "signature")).status_code == 503
    gone = (await people["konsep"].act(verified, "cancellation", note="Batal rapat")).json()
    assert gone["state"] == "cancelled"
    assert await register() == [(1, "void")]
    assert (await people["kepala"].act(verified, "signature")).status_code == 409


async def test_another_agencys_letters_do_not_exist(stranger, draft):
    assert (await stranger.get(f"/v1/outgoing-letters/{draft['id']}")).status_code == 404
    assert (await stranger.get("/v1/outgoing-letters")).json()["items"] == []
    answer = await stranger.post(f"/v1/outgoing-letters/{draft['id']}/submission")
    assert answer.status_code == 404


async def test_an_unknown_code_verifies_nothing(anonymous):
    assert (await anonymous.get(f"/v1/verifications/{'A' * 20}")).status_code == 404
    assert (await anonymous.get("/v1/verifications/x")).status_code == 422


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("subject", "dua\nbaris"),
        ("subject", "   "),
        ("paragraphs", ["a\x00b"]),
        ("addressees", []),
        ("security_class", "X"),
        ("classification", "999.9"),
        ("letter_type", "surat_cinta"),
        ("unit", "a/b"),
    ],
)
async def test_a_bad_draft_names_its_field(people, wanted, field, value):
    answer = await people["konsep"].http.post(
        "/v1/outgoing-letters",
        json=wanted | {field: value},
        headers={"idempotency-key": str(uuid7())},
    )
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"].startswith(f"/{field}")


async def test_a_letter_is_found_in_its_register_by_subject_and_addressee(people, draft):
    async def found(name, words):
        answer = await people[name].http.get("/v1/outgoing-letters", params={"q": words})
        return [one["id"] for one in answer.json()["items"]]

    for words in ("rapat", "KOORD dinas", "kesehatan"):
        assert await found("konsep", words) == [draft["id"]]
    assert await found("konsep", "name") == []
    assert await found("konsep", "rapat keuangan") == []
