import asyncio
import base64
import hashlib
import os
from datetime import UTC, datetime, timedelta

import pytest
from sebalai_archive.content_store import ContentStore
from sebalai_archive.copies import Copies
from sebalai_archive.disposals.jobs import Stores, erase_destroyed
from sebalai_archive.records.jobs import sweep_content
from sebalai_archive.signatures.jobs import augment_due
from sebalai_archive.signing import trial_authority
from sebalai_archive.signing.choosing import augmenter_of, signer_of
from sebalai_archive.signing.outside import outside_client
from sebalai_archive.signing.report import Reporter
from sebalai_archive.signing.signer import SigningUnavailable
from sebalai_shared.caller import Caller
from sebalai_shared.clock import SystemClock
from sebalai_shared.ids import uuid7
from sebalai_shared.testing.http import in_process, system
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

AGENCY = "ID-BB/GOV/dinsos-pmd/"
TEMPLATE = {
    "letter_type": "surat_dinas",
    "book": "keluar",
    "pattern": "{klasifikasi}/{nomor:3}/{unit}/{bulan_romawi}/{tahun}",
    "valid_from": "2026-11-24",
}


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    folder = tmp_path_factory.mktemp("authority")
    files = [folder / name for name in ("key.pem", "chain.pem", "root.pem")]
    trial_authority.write(*files, SystemClock().now())
    return files


@pytest.fixture
def settings(settings, authority):
    key, chain, _ = authority
    return settings.model_copy(update={"signing_key_file": key, "signing_certificates_file": chain})


# As a finished disposal leaves a record behind.
DESTROYED = """
  WITH made AS (INSERT INTO disposal (id, agency, kind, state, proposer, reviewer, approver, executor,
    witness_legal, witness_supervision, created_at)
    VALUES (gen_random_uuid(), 'dinsos-pmd', 'destruction', 'executed', 'a', 'b', 'c', 'd', 'e', 'f', :at)
    RETURNING id)
  INSERT INTO tombstone (record_id, disposal_id, at, sha256)
  SELECT r.id, made.id, :at, l.content_sha256 FROM made, outgoing_letter l,
    (SELECT CAST(:record AS uuid) AS id) r WHERE l.record_id = r.id
"""


def key():
    return {"idempotency-key": str(uuid7())}


class Failing:
    """A key that is away."""

    def __init__(self, error):
        self.error = error

    async def sign(self, *_):
        raise self.error


class Person:
    """One person of the agency, by the application that stands for it here."""

    def __init__(self, app, asserter, name):
        caller = system(AGENCY + name, "archive.write")
        self.subject = caller.subject
        self.http = in_process(app, asserter.headers(caller, "archive"))

    async def act(self, letter, step, **body):
        return await self.http.post(
            f"/v1/outgoing-letters/{letter['id']}/{step}", json=body or None
        )


@pytest.fixture
def people(app, asserter):
    return {name: Person(app, asserter, name) for name in ("konsep", "paraf1", "paraf2", "kepala")}


@pytest.fixture
def wanted(people):
    return {
        "letter_type": "surat_dinas",
        "classification": "000.1.5",
        "subject": "Undangan rapat koordinasi",
        "unit": "DINSOS",
        "addressees": [{"name": "Kepala Dinas Kesehatan", "agency": "dinkes"}],
        "paragraphs": ["Dengan hormat, kami mengundang Saudara."],
        "verifiers": [people["paraf1"].subject, people["paraf2"].subject],
        "signer": {
            "subject": people["kepala"].subject,
            "name": "Sari",
            "position": "Kepala Dinas Sosial",
            "on_behalf": "plt",
        },
    }


@pytest.fixture
async def draft(people, wanted):
    http = people["konsep"].http
    await http.post("/v1/number-templates", json=TEMPLATE, headers=key())
    answer = await http.post(
        "/v1/outgoing-letters", json=wanted, headers={"idempotency-key": str(uuid7())}
    )
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.fixture
async def verified(people, draft):
    await people["konsep"].act(draft, "submission")
    await people["paraf1"].act(draft, "paraf")
    return (await people["paraf2"].act(draft, "paraf")).json()


async def register(people):
    rows = await people["konsep"].http.get("/v1/numbers", params={"book": "keluar", "year": 2026})
    return [(row["n"], row["state"]) for row in rows.json()["items"]]


async def test_a_letter_goes_from_draft_to_the_agency_it_is_for(
    people, verified, app, anonymous, database
):
    signed = (await people["kepala"].act(verified, "signature")).json()
    assert (signed["state"], signed["number"]) == ("signed", "000.1.5/001/DINSOS/XI/2026")
    assert await register(people) == [(1, "issued")]
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
async def test_only_the_named_signer_signs(people, verified, who):
    assert (await people[who].act(verified, "signature")).status_code == 403
    assert await register(people) == []


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
    people, wanted, app, asserter
):
    head = Caller(kind="civil_servant", subject="kepala-dinas", agency="dinsos-pmd")
    signer = wanted["signer"] | {"subject": head.subject}
    body = wanted | {"security_class": "rahasia", "signer": signer, "verifiers": []}
    http = people["konsep"].http
    await http.post("/v1/number-templates", json=TEMPLATE, headers=key())
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
    people, verified, app
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
    assert await register(people) == [(1, "void")]
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
    people, verified, client_of, database, settings, clock
):
    await people["kepala"].act(verified, "signature")
    sent = (await people["konsep"].act(verified, "sending")).json()
    async with database.transaction() as session:
        await session.execute(text(DESTROYED), {"record": sent["record_id"], "at": clock.now()})
    content = ContentStore(settings.content_dir, settings.content_bytes_limit)
    for path in (settings.content_dir / "cas").rglob("*"):
        os.utime(path, (0, 0))
    stores = Stores(content, Copies(content, settings.content_dir, None))
    assert await erase_destroyed(database, stores, clock) == 1
    assert await sweep_content(database, content, clock) == 0
    office = client_of(system("ID-BB/GOV/dinkes/surat", "archive.write"))
    (arrived,) = (await office.get("/v1/incoming-letters")).json()["items"]
    address = f"/v1/incoming-letters/{arrived['id']}/content"
    assert (await office.get(address)).status_code == 200
    own = await people["kepala"].http.get(f"/v1/records/{sent['record_id']}/content")
    assert own.status_code == 410


async def test_signing_that_broke_goes_on_with_the_same_number(people, verified, app):
    whole, app.state.signer = app.state.signer, Failing(asyncio.CancelledError())
    with pytest.raises(asyncio.CancelledError):
        await people["kepala"].act(verified, "signature")
    assert await register(people) == [(1, "reserved")]
    app.state.signer = whole
    signed = (await people["kepala"].act(verified, "signature")).json()
    assert signed["number"] == "000.1.5/001/DINSOS/XI/2026"
    assert await register(people) == [(1, "issued")]


async def test_a_cancelled_letter_voids_its_number(people, verified, app):
    app.state.signer = Failing(SigningUnavailable("no certificate"))
    assert (await people["kepala"].act(verified, "signature")).status_code == 503
    gone = (await people["konsep"].act(verified, "cancellation", note="Batal rapat")).json()
    assert gone["state"] == "cancelled"
    assert await register(people) == [(1, "void")]
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


@pytest.fixture
async def keeper(app, database, stamped, clock):
    """The archive with timestamps: its api signs with them, and `augment` is a pass of its worker."""
    client = outside_client(stamped)
    app.state.signer = signer_of(stamped, client)
    content = ContentStore(stamped.content_dir, stamped.content_bytes_limit)
    app.state.reporter = Reporter(content, stamped, clock)
    augmenter = augmenter_of(stamped, client)

    class Keeper:
        store = content

        async def augment(self):
            return await augment_due(database, content, augmenter, clock)

        async def sweep(self):
            for path in (stamped.content_dir / "cas").rglob("*"):
                os.utime(path, (0, 0))
            return await sweep_content(database, content, clock)

        async def facts(self):
            async with database.transaction() as session:
                told = (await session.scalars(text("SELECT document::text FROM outbox"))).all()
            return [fact for fact in told if "archive.signature.recorded.v1" in fact]

    yield Keeper()
    await client.aclose()


async def test_a_letter_signed_while_nobody_gives_timestamps_gets_them_later(
    people, verified, anonymous, timestamps, keeper, clock
):
    timestamps.down = True
    signed = (await people["kepala"].act(verified, "signature")).json()
    assert (signed["state"], signed["number"]) == ("signed", "000.1.5/001/DINSOS/XI/2026")
    address = signed["verification"].removeprefix("https://bus.example/api/archive")
    seen = (await anonymous.get(address)).json()
    assert (seen["profile"], seen["signature_state"]) == ("B-B", "awaiting_timestamp")

    assert await register(people) == [(1, "issued")]
    assert await keeper.augment() == 0
    timestamps.down = False
    assert await keeper.augment() == 0  # it waits its turn
    clock.move(timedelta(hours=1))
    assert await keeper.augment() == 2
    now = (await anonymous.get(address)).json()
    assert (now["profile"], now["signature_state"]) == ("B-LTA", "preserved")
    assert [one["profile"] for one in now["files"]] == ["B-B", "B-T", "B-LTA"]
    assert now["content_sha256"] == now["files"][0]["sha256"] == seen["content_sha256"]
    first, second, third = [keeper.store.path(one["sha256"]).read_bytes() for one in now["files"]]
    assert second.startswith(first)
    assert third.startswith(second)
    assert await keeper.sweep() == 0
    assert len(await keeper.facts()) == 3

    clock.move(datetime.now(UTC) - clock.now())  # the authority's clock is the true one
    report = (await anonymous.get(f"{address}/signature")).json()
    assert (report["profile"], report["verdict"], report["reason"]) == ("B-LTA", "passed", "ok")
    assert report["time_source"] == "document_timestamp"
    assert len(report["timestamps"]) == 2


async def test_a_letter_signed_before_signatures_were_kept_is_plain(
    people, verified, anonymous, database
):
    signed = (await people["kepala"].act(verified, "signature")).json()
    address = signed["verification"].removeprefix("https://bus.example/api/archive")
    async with database.transaction() as session:
        await session.execute(text("ALTER TABLE signature_revision DISABLE TRIGGER USER"))
        await session.execute(text("DELETE FROM signature_revision"))
        await session.execute(text("DELETE FROM signature"))
    seen = (await anonymous.get(address)).json()
    assert (seen["profile"], seen["signature_state"]) == ("B-B", "plain")
    assert [one["sha256"] for one in seen["files"]] == [seen["content_sha256"]]
    assert (await anonymous.get(f"{address}/signature")).json()["profile"] == "B-B"


async def test_a_file_that_breaks_the_augmenter_stops_no_other(
    people, verified, database, keeper, clock
):
    class Broken:
        async def preserve(self, pdf):
            raise KeyError(pdf[:4])

    record = (await people["kepala"].act(verified, "signature")).json()["record_id"]
    assert await augment_due(database, keeper.store, Broken(), clock) == 0
    seen = (await people["konsep"].http.get(f"/v1/records/{record}/signature")).json()
    assert seen["problem"] == "unexpected"


async def test_a_records_signature_tells_its_files_to_those_who_may_open_it(
    people, verified, keeper
):
    record = (await people["kepala"].act(verified, "signature")).json()["record_id"]
    assert await keeper.augment() == 1
    address = f"/v1/records/{record}/signature"
    seen = (await people["konsep"].http.get(address)).json()
    assert (seen["profile"], seen["state"], seen["problem"]) == ("B-LTA", "preserved", None)
    assert [one["profile"] for one in seen["files"]] == ["B-T", "B-LTA"]
    declared = (await people["konsep"].http.get(f"/v1/records/{record}")).json()
    salt = base64.urlsafe_b64decode(declared["declaration"]["salt"] + "=")
    last = seen["files"][1]
    commitment = hashlib.sha256(salt + last["statement"].encode()).hexdigest()
    assert commitment in (await keeper.facts())[1]
    got = await people["konsep"].http.get(f"{address}/files/2")
    assert hashlib.sha256(got.content).hexdigest() == last["sha256"]
    assert (await people["konsep"].http.get(f"{address}/files/3")).status_code == 404


async def test_the_signature_of_a_closed_record_is_as_closed_as_its_content(
    people, wanted, keeper, client_of
):
    http = people["konsep"].http
    await http.post("/v1/number-templates", json=TEMPLATE, headers=key())
    body = wanted | {"security_class": "rahasia", "verifiers": []}
    letter = (await http.post("/v1/outgoing-letters", json=body, headers=key())).json()
    await people["konsep"].act(letter, "submission")
    record = (await people["kepala"].act(letter, "signature")).json()["record_id"]
    stranger = client_of(system("ID-BB/GOV/dinkes/surat", "archive.write"))
    for path in ("content", "signature", "signature/files/1"):
        assert (await stranger.get(f"/v1/records/{record}/{path}")).status_code == 404


async def test_what_was_added_to_a_signature_is_erased_with_its_record(
    people, verified, keeper, database, settings, clock
):
    record = (await people["kepala"].act(verified, "signature")).json()["record_id"]
    assert await keeper.augment() == 1
    async with database.transaction() as session:
        await session.execute(text(DESTROYED), {"record": record, "at": clock.now()})
    stores = Stores(keeper.store, Copies(keeper.store, settings.content_dir, None))
    assert await erase_destroyed(database, stores, clock) == 0  # too young: an upload may name it
    for path in (settings.content_dir / "cas").rglob("*"):
        os.utime(path, (0, 0))
    assert await erase_destroyed(database, stores, clock) == 1
    assert [one for one in (settings.content_dir / "cas").rglob("*") if one.is_file()] == []
    clock.move(timedelta(days=3_650))
    assert await keeper.augment() == 0
