"""One letter's whole life, every step in its order, each one's skipping refused, each one proven.

A clock cannot be put into running processes, so the archive answers in the test, over the
platform's database and folder; the bus, the relay, the ledger and the receipts are real.
"""

import asyncio
import csv
import hashlib
import io
import shutil
import time
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sebalai_archive.disposals.jobs import erase_destroyed, propose_due
from sebalai_archive.recognition.engine import Tesseract
from sebalai_archive.recognition.jobs import recognise_scans
from sebalai_archive.rendering.letters import Letter, Signatory, render
from sebalai_archive.retention.actions import civil_date
from sebalai_shared.ids import uuid7

from tests.flows.letters import AGENCY, OFFICE, OPERATOR, LeapingArchive

STORY_SECONDS = 300  # a scan is read in it, at 3 s of processor a page
pytestmark = [pytest.mark.flow, pytest.mark.timeout(STORY_SECONDS, func_only=True)]

CODE = "800.1.2.2"  # two years active, three inactive, then destroyed; the governor approves
LETTERS = "ID-BB/GOV/diskominfo/sebalai/letters"
OPERATIONS, RECEIVER = "diskominfo/sebalai", "dkpus/arsip"
PURPOSE = "penerimaan-naskah"
PEOPLE = {
    "reviewer": "penilai", "approver": "penyetuju", "executor": "pelaksana",
    "witness_legal": "saksi-hukum", "witness_supervision": "saksi-pengawas",
}  # fmt: skip
STEPS = {
    "appraise": ("penilai", ["sk_panitia", "daftar_usul", "surat_pertimbangan"]),
    "request": (OFFICE, ["nota_dinas"]),
    "approve": ("penyetuju", ["persetujuan"]),
    "decree": ("penyetuju", ["sk_penetapan"]),
    "execute": ("pelaksana", []),
    "minute": ("pelaksana", ["berita_acara"]),
    "report": (OFFICE, ["laporan"]),
}
PAPER = Letter(
    agency_name="PT Timah", place="Pangkalpinang", date="24 November 2026", number="77/PT/2026",
    urgency="Biasa", subject="Permohonan audiensi", addressees=["Kepala Dinas Sosial"],
    paragraphs=["Dengan hormat, kami memohon waktu untuk audiensi."], copies=[],
    signer=Signatory("Budi", "Direktur"), code="K7", address="https://timah.example/K7",
)  # fmt: skip
SEEN_SECONDS = 60  # a worker's pass on a busy machine
PLT = {"kind": "plt", "of": "Kepala Bidang", "decree": "821/12/2026"}
DRAFT = {
    "letter_type": "surat_dinas", "classification": CODE, "security_class": "biasa",
    "subject": "Jawaban permohonan", "unit": "DINSOS", "verifiers": ["kabid"],
    "addressees": [{"name": "Kepala Dinas Kearsipan", "agency": "dkpus"}],
    "paragraphs": ["Dengan hormat, permohonan Saudara kami penuhi."],
    "signer": {"subject": "kepala", "name": "Sari", "position": "Kepala Dinas Sosial"},
}  # fmt: skip


@pytest.fixture
async def archive(platform, tmp_path, monkeypatch):
    made = LeapingArchive(platform, tmp_path, monkeypatch)
    yield made
    await made.database.close()


def over_the_bus(platform, method, path, **options):
    """A call of the receiving agency's own system, with its receipt."""
    headers = platform.headers(RECEIVER, PURPOSE, **{"idempotency-key": str(uuid7())})
    address = f"{platform.gateway}/r1/{LETTERS}/v1/{path}"
    answer = httpx.request(method, address, headers=headers, timeout=30, **options)
    assert answer.status_code == 200, answer.text
    receipt = platform.receipt(answer.headers["sebalai-message-id"], name=RECEIVER)
    assert platform.verify(receipt).returncode == 0
    return answer


async def eventually(ask, is_done):
    """The first answer that is what was waited for."""
    deadline = time.monotonic() + SEEN_SECONDS
    while not is_done(answer := await ask()):
        assert time.monotonic() < deadline, answer
        await asyncio.sleep(0.5)
    return answer


async def scanned(archive, scanner, file_unit):
    """A picture of paper, without a word in it that a machine could read; and its bytes."""
    paper = scanner.picture_of(await render(PAPER, archive.clock.now()))
    content = scanner.pdf_of(paper) + b"%" + str(uuid7()).encode()
    scan = await archive.record(
        content, title="Permohonan", classification=CODE, security_class="biasa",
        file_unit=file_unit,
    )  # fmt: skip
    return scan, content


async def recognised(archive, scan):
    """The platform's own worker sees that it is a scan; where there is Tesseract it is then found by
    its words.
    """

    async def look():
        return await archive.call(OFFICE, "GET", f"records/{scan}/examination")

    found = (await eventually(look, lambda answer: answer.status_code == 200)).json()
    assert (found["state"], found["recognition"]) == ("no_text", "no_engine")
    if program := shutil.which("tesseract"):
        engine = Tesseract(Path(program), "ind", 0)
        await recognise_scans(archive.database, archive.store, archive.clock, engine)
        assert (await look()).json()["recognition"] == "done"

        async def search():
            return await archive.done(OFFICE, "GET", 'search?q="memohon waktu untuk audiensi"')

        await eventually(search, lambda hits: scan in [one["record"] for one in hits["items"]])


async def registered(archive, scan):
    letter = {"sender": "PT Timah", "subject": "Permohonan", "addressed_to": "kepala"}
    letter["record_id"] = scan
    await archive.refused(403, "staf", "POST", "incoming-letters", json=letter)
    return await archive.done(OFFICE, "POST", "incoming-letters", json=letter)


async def disposed(archive, letter):
    """Down two levels, the second by a Plt.; answers both dispositions."""
    path = f"incoming-letters/{letter['id']}"

    def body(to, **more):
        return {"recipient": to, "recipient_name": to, "instruction": "Jawab"} | more

    await archive.refused(404, "kabid", "POST", f"{path}/dispositions", json=body("staf"))
    first = await archive.done("kepala", "POST", f"{path}/dispositions", json=body("kabid"))
    await archive.refused(404, "staf", "GET", f"{path}/content")
    down = body("staf", parent_id=first["id"], on_behalf=PLT)
    await archive.refused(403, "kepala", "POST", f"{path}/dispositions", json=down)
    second = await archive.done("kabid", "POST", f"{path}/dispositions", json=down)
    assert second["on_behalf"]["kind"] == "plt"
    opened = await archive.call("staf", "GET", f"{path}/content")
    assert opened.status_code == 200
    await archive.refused(409, "kabid", "POST", f"dispositions/{second['id']}/recall")
    return first, second


async def answered(archive, dispositions):
    """Drafted, verified, signed and sent, in no other order; both dispositions are then done."""
    template = {"letter_type": "surat_dinas", "book": "keluar", "pattern": "{nomor:3}/{unit}/{tahun}",
                "valid_from": civil_date(archive.clock.now()).isoformat()}  # fmt: skip
    await archive.done(OFFICE, "POST", "number-templates", json=template)
    letter = await archive.done(OFFICE, "POST", "outgoing-letters", json=DRAFT)
    path = f"outgoing-letters/{letter['id']}"
    order = [(OFFICE, "submission"), ("kabid", "paraf"), ("kepala", "signature"),
             (OFFICE, "sending")]  # fmt: skip
    for place, (who, step) in enumerate(order):
        for later, skipping in order[place + 1 :]:
            await archive.refused(409, later, "POST", f"{path}/{skipping}")
        letter = await archive.done(who, "POST", f"{path}/{step}")
    assert letter["state"] == "sent"
    done = {"outcome": "Dijawab", "answer_id": letter["id"]}
    for who, one in zip(("kabid", "staf"), dispositions, strict=True):
        await archive.done(who, "POST", f"dispositions/{one['id']}/completion", json=done)
    return letter


def received(platform, letter):
    """The other agency's system fetches, checks and registers it over the bus."""
    items = over_the_bus(platform, "GET", "incoming-letters?limit=100").json()["items"]
    [arrived] = [one for one in items if one["letter_number"] == letter["number"]]
    pdf = over_the_bus(platform, "GET", f"incoming-letters/{arrived['id']}/content").content
    code = letter["verification"].rpartition("/")[2]
    public = httpx.get(f"{platform.gateway}/api/archive/v1/verifications/{code}").json()
    assert public["content_sha256"] == hashlib.sha256(pdf).hexdigest() == arrived["content_sha256"]
    path = f"incoming-letters/{arrived['id']}/registration"
    taken = over_the_bus(platform, "POST", path, json={"addressed_to": "kadis"}).json()
    assert taken["agenda"]
    return taken


async def seen_by_everybody(platform, letter):
    """Through the gateway, without a token: the page of the QR code, and the harvest."""
    page = httpx.get(letter["verification"], timeout=30)
    assert page.status_code == 200
    assert letter["number"] in page.text.replace("<wbr>", "")
    ask = {"verb": "GetRecord", "metadataPrefix": "oai_dc",
           "identifier": f"urn:uuid:{letter['record_id']}"}  # fmt: skip

    async def harvest():
        return httpx.get(f"{platform.gateway}/api/archive/v1/oai", params=ask, timeout=30).text

    found = await eventually(harvest, lambda text: "<error" not in text)
    assert letter["number"] in found


async def listed(archive, kind):
    """The ids in one of the office's official lists."""
    answer = await archive.call(OFFICE, "GET", f"lists/{kind}?classification={CODE}")
    assert answer.status_code == 200, answer.text
    return {row["Pengenal"] for row in csv.DictReader(io.StringIO(answer.text))}


async def came_of_age(archive, scan, file_unit):
    """Filed and closed, its trigger set; proposed once its years are over and not before."""
    wanted = {"kind": "destruction", "records": [scan], "people": PEOPLE}
    await archive.done(OFFICE, "POST", f"file-units/{file_unit}/closing")
    late = {"title": "Susulan", "classification": CODE, "file_unit": file_unit}
    await archive.refused(422, OFFICE, "POST", "records", json=late)
    today = civil_date(archive.clock.now()).isoformat()
    trigger = {"trigger": "setelah_berkas_ditutup", "date": today, "reason": "berkas selesai"}
    await archive.done(OFFICE, "PUT", f"records/{scan}/trigger", json=trigger)
    await archive.refused(409, OFFICE, "POST", "disposals", json=wanted)
    archive.clock.move(timedelta(days=6 * 366))
    await propose_due(archive.database, archive.clock)
    proposals = await archive.done(OFFICE, "GET", "proposals?act=destroy&limit=100")
    [mine] = [one for one in proposals["items"] if one["record"] == scan]
    assert mine["approver"] == "governor"
    assert scan in await listed(archive, "proposed-destruction")
    return await archive.done(OFFICE, "POST", "disposals", json=wanted)


async def destroyed(archive, disposal):
    """All seven steps; before each one every later one is refused."""
    path, evidence = (
        f"disposals/{disposal['id']}",
        await archive.record(
            b"bukti", title="Bukti", classification="800.1.1.1", security_class="biasa"
        ),
    )
    names = list(STEPS)
    for place, name in enumerate(names):
        who, slots = STEPS[name]
        body = {"evidence": dict.fromkeys(slots, evidence)}
        for later in names[place + 1 :]:
            await archive.refused(409, STEPS[later][0], "PUT", f"{path}/steps/{later}", json={})
        if name == "approve":
            body["authority"] = "governor"
        elif name == "execute":
            await archive.refused(409, who, "PUT", f"{path}/steps/execute", json={})
            await archive.refused(409, who, "GET", f"{path}/minutes")
            for witness in ("saksi-hukum", "saksi-pengawas"):
                await archive.done(witness, "PUT", f"{path}/presence")
        elif name == "minute":
            signed = {"name": "Rahma", "position": "Kepala Unit Kearsipan"}
            issued = await archive.done(who, "PUT", f"{path}/minutes", json=signed)
            body["evidence"] = {"berita_acara": issued["minutes"]}
        disposal = await archive.done(who, "PUT", f"{path}/steps/{name}", json=body)
    assert (disposal["state"], disposal["next"]) == ("reported", None)
    return disposal


async def test_a_letter_lives_from_its_arrival_to_its_destruction_with_proofs(
    archive, platform, stand_in
):
    for name in ("kepala", *PEOPLE.values()):
        standing = {"agency": AGENCY, "rank": "head"}
        await archive.done(OPERATOR, "PUT", f"standings/{name}", json=standing)
    berkas = {"number": str(uuid7()), "title": "Permohonan", "classification": CODE}
    file_unit = (await archive.done(OFFICE, "POST", "file-units", json=berkas))["id"]
    scan, content = await scanned(archive, stand_in("scanner"), file_unit)
    await recognised(archive, scan)
    letter = await registered(archive, scan)
    dispositions = await disposed(archive, letter)
    answer = await answered(archive, dispositions)
    reply = {"kind": "replies_to", "record": scan}
    await archive.done(OFFICE, "PUT", f"records/{answer['record_id']}/relations", json=reply)
    taken = received(platform, answer)
    await seen_by_everybody(platform, answer)
    assert scan in await listed(archive, "active")
    await archive.preserver.preserve()
    disposal = await destroyed(archive, await came_of_age(archive, scan, file_unit))

    path = await archive.file_of(content)
    # The platform's own worker may come first, or hold one of the documents just now.
    async with asyncio.timeout(60):
        while "archive.record.erased.v1" not in [kind for _, kind in await archive.told(scan)]:
            await archive.age_documents(scan)
            await erase_destroyed(archive.database, archive.stores, archive.clock)
            await asyncio.sleep(0.2)
    await archive.refused(410, OFFICE, "GET", f"records/{scan}/content")
    assert scan in await listed(archive, "destroyed")
    assert scan not in await listed(archive, "proposed-destruction")
    assert not path.exists()

    subjects = [scan, letter["id"], answer["id"], answer["record_id"], taken["id"], disposal["id"]]
    subjects += [disposal["minutes"], *(one["id"] for one in dispositions)]
    told = await archive.told(*subjects)
    kinds = [kind for _, kind in told]
    assert kinds.count("archive.record.declared.v1") == 3
    assert kinds.count("archive.letter.registered.v1") == 2
    assert kinds.count("archive.disposition.moved.v1") == 6  # both sent, read and done
    assert kinds.count("archive.disposal.stepped.v1") == 9  # seven steps, two witnesses
    for once in ("letter.dispatched", "record.triggered", "record.destroyed", "record.erased"):
        assert kinds.count(f"archive.{once}.v1") == 1
    for event_id, kind in told:
        proof = platform.verify(platform.receipt(event_id, name=OPERATIONS))
        assert proof.returncode == 0, f"{kind}: {proof.stdout}{proof.stderr}"
