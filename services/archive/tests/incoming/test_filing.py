"""A letter of another agency, or of the national application, becomes a record of its own."""

import hashlib
import os
from datetime import date

import pytest
from sebalai_archive.content.files import FilePlace
from sebalai_archive.copies import Copies
from sebalai_archive.disposals.jobs import Stores, erase_destroyed
from sebalai_archive.examinations import actions as examinations
from sebalai_archive.examining import Found
from sebalai_archive.incoming import actions as incoming
from sebalai_archive.incoming.actions import Dispatched
from sebalai_archive.storing import content_store_of
from sebalai_shared.caller import Caller
from sebalai_shared.ids import uuid7
from sebalai_shared.testing.http import system
from sqlalchemy import text

from services.archive.tests.outgoing.conftest import wanted

__all__ = ["wanted"]

PDF = b"%PDF-1.7 surat dinas"
UNIT = {"number": "B-1", "title": "Undangan", "classification": "000.1.5"}


@pytest.fixture
def office(client_of):
    return client_of(system("ID-BB/GOV/dinkes/surat", "archive.write"))


async def file_unit(http, **more):
    key = {"idempotency-key": str(uuid7())}
    answer = await http.post("/v1/file-units", json=UNIT | more, headers=key)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


@pytest.fixture
async def berkas(office):
    return await file_unit(office)


@pytest.fixture
def arrived(database, settings, clock):
    """A letter that came by the national application; its address."""

    async def come(security_class="terbatas"):
        content = await content_store_of(settings).put_whole(PDF, security_class)
        facts = ("Kementerian X", "5/X/2026", date(2026, 11, 20), "Permintaan data")
        letter = Dispatched(None, *facts, security_class, "biasa", content)
        async with database.transaction() as session:
            made = await incoming.arrive(session, clock, agency="dinkes", letter=letter)
        return f"/v1/incoming-letters/{made.id}"

    return come


async def registered(office, path):
    answer = await office.post(f"{path}/registration", json={"addressed_to": "kadis"})
    assert answer.status_code == 200, answer.text
    return path


async def test_a_letter_over_the_bus_becomes_a_record_with_its_retention(
    people, verified, office, berkas, database
):
    for who, step in (("kepala", "signature"), ("konsep", "sending")):
        sent = (await people[who].act(verified, step)).json()
    [letter] = (await office.get("/v1/incoming-letters")).json()["items"]
    path = await registered(office, f"/v1/incoming-letters/{letter['id']}")
    filed = await office.post(f"{path}/filing", json={"file_unit": berkas})
    assert filed.status_code == 200, filed.text
    record = (await office.get(f"/v1/records/{filed.json()['record_id']}")).json()
    assert (record["agency"], record["state"], record["number"]) == (
        "dinkes",
        "declared",
        sent["number"],
    )
    assert (record["file_unit"], record["classification"]) == (berkas, "000.1.5")
    assert (record["retention"]["rule"], record["retention"]["clock"]) == ("000.1.5", "not running")
    assert record["content"]["sha256"] == letter["content_sha256"]
    assert record["declaration"]["commitment"]
    async with database.transaction() as session:
        told = (await session.scalars(text("SELECT document::text FROM outbox"))).all()
    assert sum("archive.record.declared.v1" in one and record["id"] in one for one in told) == 1


async def test_a_letter_is_filed_once_and_after_its_registration(office, berkas, arrived):
    path = await arrived()
    body = {"file_unit": berkas}
    early = await office.post(f"{path}/filing", json=body)
    assert early.json()["type"] == "urn:sebalai:problem:letter-not-registered"
    await registered(office, path)
    assert (await office.post(f"{path}/filing", json=body)).status_code == 200
    again = await office.post(f"{path}/filing", json=body)
    assert again.json()["type"] == "urn:sebalai:problem:letter-filed"


async def test_only_the_office_files_and_in_a_file_unit_of_its_own(
    office, berkas, arrived, writer, client_of
):
    path = await registered(office, await arrived("biasa"))
    head = client_of(Caller(kind="civil_servant", subject="kadis", agency="dinkes"))
    assert (await head.post(f"{path}/filing", json={"file_unit": berkas})).status_code == 403
    assert (await writer.post(f"{path}/filing", json={"file_unit": berkas})).status_code == 404
    for body, status in (
        ({"file_unit": await file_unit(writer)}, 404),
        ({"file_unit": berkas, "classification": "999.9"}, 422),
        ({}, 422),
    ):
        assert (await office.post(f"{path}/filing", json=body)).status_code == status
    await office.post(f"/v1/file-units/{berkas}/closing")
    closed = await office.post(f"{path}/filing", json={"file_unit": berkas})
    assert closed.json()["errors"][0]["pointer"] == "/file_unit"


async def test_who_files_a_secret_letter_opens_it_no_more_than_before(
    office, berkas, arrived, client_of
):
    operator = client_of(system("ID-BB/GOV/diskominfo/operasi", "platform.operate"))
    await operator.put("/v1/standings/kadis", json={"agency": "dinkes", "rank": "head"})
    path = await registered(office, await arrived("sangat_rahasia"))
    filed = (await office.post(f"{path}/filing", json={"file_unit": berkas})).json()
    assert (filed["subject"], filed["content_sha256"]) == (None, None)
    address = f"/v1/records/{filed['record_id']}"
    for closed in (address, f"{address}/content"):
        assert (await office.get(closed)).status_code == 404
    for rank in ("head", "administrator"):
        await operator.put(f"/v1/standings/{rank}", json={"agency": "dinkes", "rank": rank})
        other = client_of(Caller(kind="civil_servant", subject=rank, agency="dinkes"))
        assert (await other.get(address)).status_code == 404
    hers = client_of(Caller(kind="civil_servant", subject="kadis", agency="dinkes"))
    assert (await hers.get(f"{address}/content")).content == PDF
    assert (await hers.get(f"{path}/content")).content == PDF


async def test_a_class_is_raised_by_filing_and_never_lowered(office, berkas, arrived, anonymous):
    path = await registered(office, await arrived("terbatas"))
    body = {"file_unit": berkas, "security_class": "biasa"}
    lower = await office.post(f"{path}/filing", json=body)
    assert lower.json()["errors"][0]["pointer"] == "/security_class"
    path = await registered(office, await arrived("biasa"))
    body |= {"security_class": "terbatas", "protection": "vital"}
    filed = (await office.post(f"{path}/filing", json=body)).json()
    assert filed["security_class"] == "terbatas"
    address = f"/v1/records/{filed['record_id']}"
    assert (await anonymous.get(address)).status_code == 404
    assert (await office.get(address)).json()["protection"] == "vital"
    assert (await office.get(f"{path}/content")).content == PDF


async def test_an_infected_letter_is_not_filed(office, berkas, arrived, database, clock):
    path = await registered(office, await arrived())
    sha256 = hashlib.sha256(PDF).hexdigest()
    found = Found("infected")
    async with database.transaction() as session:
        await examinations.keep_found(
            session, sha256=sha256, found=found, scan="infected", now=clock.now()
        )
    answer = await office.post(f"{path}/filing", json={"file_unit": berkas})
    assert answer.json()["type"] == "urn:sebalai:problem:content-infected"


DESTROYED = """
    WITH made AS (INSERT INTO disposal (id, agency, kind, state, proposer, reviewer, approver,
      executor, witness_legal, witness_supervision, created_at)
      VALUES (gen_random_uuid(), 'dinkes', 'destruction', 'executed', 'a', 'b', 'c', 'd', 'e', 'f',
        :at) RETURNING id)
    INSERT INTO tombstone (record_id, disposal_id, at, sha256)
    SELECT l.record_id, made.id, :at, l.content_sha256 FROM made, incoming_letter l
"""


async def test_a_filed_letter_goes_with_its_record(
    office, berkas, arrived, database, clock, settings
):
    path = await registered(office, await arrived())
    assert (await office.post(f"{path}/filing", json={"file_unit": berkas})).status_code == 200
    async with database.transaction() as session:
        await session.execute(text(DESTROYED), {"at": clock.now()})
    assert (await office.get(f"{path}/content")).status_code == 410
    [kept] = [one for one in (settings.content_dir / "cas").rglob("*") if one.is_file()]
    os.utime(kept, (0, 0))
    stores = Stores(content_store_of(settings), Copies(FilePlace(settings.content_dir), None))
    assert await erase_destroyed(database, stores, clock) == 1
    assert not kept.exists()
