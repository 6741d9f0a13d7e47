"""Content above public lies sealed, in every way it comes and goes; rotation and destruction of keys."""

import base64
import hashlib
import os
import time

import pytest
from sebalai_archive.content.files import FilePlace
from sebalai_archive.content.keys import ClassKeys, add_keys
from sebalai_archive.content.places import SWEEP_AFTER_SECONDS
from sebalai_archive.copies import Copies
from sebalai_archive.examinations.jobs import examine_contents
from sebalai_archive.fixity.jobs import Scrubber
from sebalai_archive.seals.jobs import seal_plain, sweep_content, wrap_anew
from sebalai_archive.storing import content_store_of
from sqlalchemy import text

from services.archive.tests.examinations.test_examining import pdf
from services.archive.tests.records.conftest import CONTENT, Desk

BIG = os.urandom(300_000) + CONTENT + os.urandom(1_000_000)
SHA = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def settings(settings, tmp_path):
    path = tmp_path / "keys.json"
    add_keys(path, "first")
    return settings.model_copy(update={"content_keys_file": path})


@pytest.fixture
def store(settings):
    return content_store_of(settings)


class ClassDesk(Desk):
    async def declared(self, content=CONTENT, security_class="terbatas"):
        record_id = await self.draft(security_class=security_class)
        put = await self.put(record_id, content)
        assert put.status_code == 200, put.text
        return (await self.declare(record_id)).json()


@pytest.fixture
def desk(writer):
    return ClassDesk(writer)


def lying(settings):
    """Every byte on disk below the content folder."""
    files = [path for path in settings.content_dir.rglob("*") if path.is_file()]
    return {path.relative_to(settings.content_dir).as_posix(): path.read_bytes() for path in files}


async def content_of(desk, record):
    return (await desk.client.get(f"/v1/records/{record['id']}/content")).content


async def rows(database):
    async with database.transaction() as session:
        query = "SELECT sha256, security_class, stored, key_id FROM content_seal ORDER BY 2"
        return (await session.execute(text(query))).all()


@pytest.mark.parametrize("content", [b"", CONTENT, BIG])
async def test_what_is_above_public_lies_sealed_and_comes_back_whole_and_in_part(
    content, desk, settings, database
):
    record = await desk.declared(content, security_class="terbatas")
    sha256 = hashlib.sha256(content).hexdigest()
    assert record["content"]["sha256"] == sha256
    [(kept, security_class, stored, key_id)] = await rows(database)
    assert (kept, security_class, key_id) == (sha256, "terbatas", "first")
    [(name, box)] = lying(settings).items()
    assert name == f"cas/{stored[:2]}/{stored}"
    assert hashlib.sha256(box).hexdigest() == stored
    assert CONTENT[:100] not in box
    path = f"/v1/records/{record['id']}/content"
    whole = await desk.client.get(path)
    told = base64.b64encode(bytes.fromhex(sha256)).decode()
    assert (whole.content, whole.headers["etag"]) == (content, f'"{sha256}"')
    assert whole.headers["content-digest"] == f"sha-256=:{told}:"
    if content:
        size = len(content)
        asked = {"range": f"bytes={size // 3}-{size // 2}"}
        part = await desk.client.get(path, headers=asked)
        assert (part.status_code, part.content) == (206, content[size // 3 : size // 2 + 1])
        tail = await desk.client.get(path, headers={"range": "bytes=-10"})
        assert tail.content == content[-10:]


async def test_public_content_lies_as_it_came(desk, settings, database):
    await desk.declared(security_class="biasa")
    assert lying(settings) == {f"cas/{SHA[:2]}/{SHA}": CONTENT}
    assert await rows(database) == []


async def test_equal_bytes_are_kept_once_a_class(desk, settings, database, store, clock):
    for security_class in ("biasa", "terbatas", "terbatas"):
        record = await desk.declared(security_class=security_class)
        assert await content_of(desk, record) == CONTENT
    [(_, _, stored, _)] = await rows(database)
    later = {name for name in lying(settings) if not name.endswith((SHA, stored))}
    assert len(later) == 1, "the second seal of the same bytes waits for the sweeper"
    for name in lying(settings):
        old = time.time() - SWEEP_AFTER_SECONDS - 60
        os.utime(settings.content_dir / name, (old, old))
    assert await sweep_content(database, store, clock) == 1
    assert {name.rpartition("/")[2] for name in lying(settings)} == {SHA, stored}


async def test_a_resumed_upload_is_sealed_from_its_first_piece(desk, settings, app):
    record_id = await desk.draft(security_class="terbatas")
    told = ",".join(
        f"{name} {base64.b64encode(value.encode()).decode()}"
        for name, value in (("record_id", record_id), ("sha256", SHA))
    )
    tus = {"Tus-Resumable": "1.0.0"}
    begun = await desk.client.post(
        "/v1/uploads",
        headers={**tus, "Upload-Length": str(len(CONTENT)), "Upload-Metadata": told},
    )
    where = f"/v1/{begun.headers['location']}"
    for start, end in ((0, 5_000), (5_000, len(CONTENT))):
        piece = {"Upload-Offset": str(start), "Content-Type": "application/offset+octet-stream"}
        answer = await desk.client.patch(
            where, content=CONTENT[start:end], headers={**tus, **piece}
        )
        assert answer.status_code == 204, answer.text
        assert all(CONTENT[:100] not in box for box in lying(settings).values())
        assert len(lying(settings)) == 1
    assert await content_of(desk, {"id": record_id}) == CONTENT
    app.state.content.keys = ClassKeys({})
    piece["Upload-Offset"] = str(len(CONTENT))
    gone = await desk.client.patch(where, content=b"", headers={**tus, **piece})
    assert gone.json()["type"] == "urn:sebalai:problem:upload-expired"


async def test_scrubbing_and_copies_take_no_key(desk, settings, database, clock, tmp_path, store):
    record = await desk.declared(security_class="rahasia")
    place, replica = FilePlace(settings.content_dir), tmp_path / "replica"
    scrubber = Scrubber(database, clock, Copies(place, replica), None)
    assert await scrubber.scrub(place) == 1
    [(_, _, stored, _)] = await rows(database)
    assert hashlib.sha256((replica / stored[:2] / stored).read_bytes()).hexdigest() == stored
    place.path(stored).chmod(0o640)
    place.path(stored).write_bytes(b"damaged")
    await scrubber.scrub(place)
    content = await store.read(await locate(database, record))
    assert content == CONTENT


async def locate(database, record):
    from sebalai_archive.seals import actions  # noqa: PLC0415

    async with database.transaction() as session:
        return await actions.locate(
            session, sha256=record["content"]["sha256"], size=record["content"]["bytes"]
        )


async def test_what_is_sealed_is_examined_without_lying_plain(
    desk, settings, database, clock, store
):
    record = await desk.declared(pdf(), security_class="terbatas")
    assert await examine_contents(database, store, clock, None) == 1
    found = (await desk.client.get(f"/v1/records/{record['id']}/examination")).json()
    assert (found["state"], found["puid"]) == ("text", "fmt/18")
    assert all(b"%PDF" not in box for box in lying(settings).values())


async def test_keys_are_rotated_without_writing_content_again(desk, settings, database, store):
    record = await desk.declared(security_class="terbatas")
    before = lying(settings)
    add_keys(settings.content_keys_file, "second")
    renewed = content_store_of(settings)
    assert await wrap_anew(database, renewed) == 1
    assert await wrap_anew(database, renewed) == 0
    assert [row.key_id for row in await rows(database)] == ["second"]
    assert lying(settings) == before
    assert await renewed.read(await locate(database, record)) == CONTENT


async def test_what_came_before_its_class_had_a_key_is_sealed_later(
    desk, settings, database, clock, app, store
):
    app.state.content.keys = ClassKeys({})
    record = await desk.declared(security_class="terbatas")
    assert lying(settings) == {f"cas/{SHA[:2]}/{SHA}": CONTENT}
    app.state.content.keys = store.keys
    assert await content_of(desk, record) == CONTENT
    assert await seal_plain(database, store, clock) == 1
    assert await seal_plain(database, store, clock) == 0
    old = time.time() - SWEEP_AFTER_SECONDS - 60
    for name in lying(settings):
        os.utime(settings.content_dir / name, (old, old))
    assert await sweep_content(database, store, clock) == 1
    assert SHA not in str(list(lying(settings)))
    assert await content_of(desk, record) == CONTENT


async def test_without_its_data_key_content_is_gone(desk, database):
    record = await desk.declared(security_class="terbatas")
    async with database.transaction() as session:
        await session.execute(text("DELETE FROM content_seal"))
    answer = await desk.client.get(f"/v1/records/{record['id']}/content")
    assert answer.status_code == 503
