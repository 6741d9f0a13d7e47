"""Out and in again: the same records, judged in between by a library of others (bagit)."""

import hashlib
import io
import json
import zipfile

import bagit
import pytest
from sebalai_archive.packages.facts import CREATED
from sebalai_shared.testing.http import system

from services.archive.tests.packages.conftest import Forged, exported, sent, unpacked

SAME = (*(name for name in CREATED if name != "filename"), "classification")


@pytest.fixture
def other(client_of):
    return client_of(system("ID-BB/GOV/dkpus/arsip", "archive.write"))


async def test_a_package_is_a_valid_bag(writer, keep, file_unit, tmp_path):
    for number in range(3):
        await keep(f"isi {number}".encode(), file_unit=file_unit, filename=f"Notula {number}.TXT")
    folder = unpacked(await exported(writer, file_unit=file_unit), tmp_path)
    bag = bagit.Bag(str(folder))
    bag.validate(fast=False)
    assert len([path for path in bag.entries if path.endswith("content.txt")]) == 3
    assert bag.info["External-Identifier"] == f"arsip-{file_unit}"
    assert bag.has_oxum()


async def test_records_come_back_as_drafts_with_all_their_metadata(writer, other, keep, file_unit):
    content = "isi — ünïcode".encode() * 1_000
    record_id = await keep(
        content, file_unit=file_unit, title='Surat <b>&"rahasia"', number="B/1/2026",
        description="dua\nbaris", dated="2026-01-31", security_class="terbatas", location="R1/L2",
        protection="vital", filename="Surat 100%.pdf",
    )  # fmt: skip
    source = (await writer.get(f"/v1/records/{record_id}")).json()
    answer = await sent(other, await exported(writer, file_unit=file_unit))
    assert answer.status_code == 200, answer.text
    [made] = answer.json()["records"]
    assert (made["source"], made["is_new"]) == (record_id, True)
    draft = (await other.get(f"/v1/records/{made['record']}")).json()
    assert {name: draft[name] for name in SAME} == {name: source[name] for name in SAME}
    assert (draft["state"], draft["agency"]) == ("draft", "dkpus")
    for name in ("sha256", "bytes", "type", "filename"):
        assert draft["content"][name] == source["content"][name]
    assert (await other.get(f"/v1/records/{made['record']}/content")).content == content
    unit = (await other.get(f"/v1/file-units/{draft['file_unit']}")).json()
    assert (unit["number"], unit["title"]) == ("B-1/2026", "Rapat 2026")


async def test_the_same_package_again_makes_nothing_new(writer, other, keep):
    package = await exported(writer, record=[await keep(), await keep(b"lain")])
    first, second = [(await sent(other, package)).json()["records"] for _ in range(2)]
    assert [one["record"] for one in first] == [one["record"] for one in second]
    assert [one["is_new"] for one in first + second] == [True, True, False, False]


async def test_a_package_proves_its_record(writer, keep):
    forged = Forged(await exported(writer, record=await keep()))
    proof = json.loads(forged.files[forged.path("/record.json")])["proof"]
    salted = bytes.fromhex(proof["salt"]) + proof["statement"].encode()
    assert hashlib.sha256(salted).hexdigest() == proof["commitment"]


async def test_other_bytes_under_a_known_name_are_refused(writer, other, keep):
    package = await exported(writer, record=await keep())
    await sent(other, package)
    forged = Forged(package)
    content = b"lain sama sekali"
    facts = json.loads(forged.files[forged.path("/record.json")])["content"]
    forged.change("/data/content", content)
    digest = hashlib.sha256(content).hexdigest()
    forged.facts(content=facts | {"sha256": digest, "bytes": len(content)}, proof=None)
    answer = await sent(other, forged.rehash().zip())
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:sebalai:problem:package-source-changed"


async def test_a_closed_file_unit_takes_nothing_and_nothing_is_half_done(
    writer, other, keep, file_unit
):
    ids = [await keep(), await keep(b"dua", file_unit=file_unit)]
    package = await exported(writer, record=ids)
    again = await sent(other, package)
    assert again.status_code == 200
    third = await keep(b"tiga", file_unit=file_unit)
    fourth = await keep(b"empat")
    draft = (await other.get(f"/v1/records/{again.json()['records'][1]['record']}")).json()
    await other.post(f"/v1/file-units/{draft['file_unit']}/closing")
    before = len((await other.get("/v1/records")).json()["items"])
    answer = await sent(other, await exported(writer, record=[fourth, third]))
    assert answer.status_code == 409
    assert len((await other.get("/v1/records")).json()["items"]) == before


async def test_a_damaged_content_ends_the_package_before_its_manifest(writer, keep, app):
    record_id = await keep(b"x" * 100)
    sha256 = (await writer.get(f"/v1/records/{record_id}")).json()["content"]["sha256"]
    path = app.state.content.place.path(sha256)
    path.chmod(0o600)
    path.write_bytes(b"y" * 100)
    broken = (await writer.get("/v1/packages", params={"record": record_id})).content
    assert b"manifest-sha256" not in broken
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(io.BytesIO(broken))
