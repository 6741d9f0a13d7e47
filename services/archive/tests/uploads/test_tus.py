import base64
import hashlib
import os
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_archive.partials import Partials, Piece
from sebalai_archive.uploads.jobs import sweep_uploads
from sebalai_archive.uploads.schema import UploadMetadataInvalid, metadata_of
from sebalai_shared.ids import uuid7
from sebalai_shared.testing.http import system

TUS = {"tus-resumable": "1.0.0"}
CONTENT = os.urandom(300_000)


def encoded(**pairs):
    return ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in pairs.items())


class Uploader:
    def __init__(self, client):
        self.client, self.record_id, self.path = client, "", ""

    async def draft(self):
        answer = await self.client.post(
            "/v1/records",
            json={"title": "Pindaian", "classification": "000.1.5"},
            headers={"idempotency-key": str(uuid7())},
        )
        self.record_id = answer.json()["id"]

    async def begin(self, length=300_000, **metadata):
        metadata = {"record_id": self.record_id, "filetype": "application/pdf"} | metadata
        answer = await self.client.post(
            "/v1/uploads",
            headers=TUS | {"upload-length": str(length), "upload-metadata": encoded(**metadata)},
        )
        if answer.status_code == 201:
            self.path = "/v1/" + answer.headers["location"]
        return answer

    async def send(self, offset, content, **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        base = TUS | {
            "upload-offset": str(offset),
            "content-type": "application/offset+octet-stream",
        }
        return await self.client.patch(self.path, content=content, headers=base | named)

    async def offset(self):
        answer = await self.client.head(self.path, headers=TUS)
        assert answer.headers["cache-control"] == "no-store"
        return int(answer.headers["upload-offset"])


@pytest.fixture
async def uploader(writer):
    made = Uploader(writer)
    await made.draft()
    return made


def checksum(content, algorithm="sha256"):
    digest = hashlib.new(algorithm, content).digest()
    return f"{algorithm} {base64.b64encode(digest).decode()}"


async def test_pieces_become_the_content_of_the_record(uploader, settings):
    begun = await uploader.begin(sha256=hashlib.sha256(CONTENT).hexdigest())
    assert begun.status_code == 201, begun.text
    assert begun.headers["upload-expires"].endswith("GMT")
    for start in range(0, len(CONTENT), 100_000):
        answer = await uploader.send(start, CONTENT[start : start + 100_000])
        assert answer.status_code == 204, answer.text
        assert answer.headers["upload-offset"] == str(start + 100_000)
    got = await uploader.client.get(f"/v1/records/{uploader.record_id}/content")
    assert got.content == CONTENT
    assert got.headers["content-type"] == "application/pdf"
    assert list((settings.content_dir / "uploads").iterdir()) == []
    assert await uploader.offset() == len(CONTENT)


async def test_a_cut_connection_keeps_what_had_come_and_goes_on_there(uploader):
    await uploader.begin()

    async def cut():
        yield CONTENT[:70_000]
        raise ConnectionError("gone")

    # In process the broken stream is an OSError; a real server sees a disconnect.
    assert (await uploader.send(0, cut())).status_code == 503
    assert await uploader.offset() == 70_000
    assert (await uploader.send(70_000, CONTENT[70_000:])).status_code == 204
    got = await uploader.client.get(f"/v1/records/{uploader.record_id}/content")
    assert got.content == CONTENT


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
async def test_a_piece_with_a_wrong_checksum_does_not_count(uploader, algorithm):
    await uploader.begin()
    wrong = await uploader.send(0, CONTENT[:9], upload_checksum=checksum(b"x", algorithm))
    assert wrong.status_code == 460
    assert await uploader.offset() == 0
    right = await uploader.send(0, CONTENT, upload_checksum=checksum(CONTENT, algorithm))
    assert right.status_code == 204


@pytest.mark.parametrize("text", ["md5 AAAA", "sha256 @@", "sha256 AAAA", ""])
async def test_a_checksum_that_is_none_is_refused(uploader, text):
    await uploader.begin()
    assert (await uploader.send(0, b"x", upload_checksum=text)).status_code == 400


async def test_an_upload_begun_again_with_its_key_is_the_same(uploader):
    uploader.client.headers["idempotency-key"] = "k1"
    first = await uploader.begin()
    assert (await uploader.begin()).headers["location"] == first.headers["location"]
    assert (await uploader.begin(length=9)).status_code == 422


async def test_a_piece_elsewhere_than_the_offset_is_refused(uploader):
    await uploader.begin()
    answer = await uploader.send(5, CONTENT)
    assert (answer.status_code, answer.headers["upload-offset"]) == (409, "0")


async def test_more_than_was_announced_is_refused(uploader):
    await uploader.begin(length=10)
    assert (await uploader.send(0, b"x" * 11)).status_code == 413


async def test_content_unlike_the_announced_digest_is_refused(uploader):
    await uploader.begin(length=1, sha256=hashlib.sha256(b"y").hexdigest())
    answer = await uploader.send(0, b"x")
    assert answer.json()["type"] == "urn:sebalai:problem:digest-mismatch"
    record = await uploader.client.get(f"/v1/records/{uploader.record_id}")
    assert record.json()["content"] is None


async def test_the_protocol_is_told_and_required(uploader, settings):
    told = await uploader.client.options("/v1/uploads")
    assert told.headers["tus-version"] == "1.0.0"
    assert set(told.headers["tus-extension"].split(",")) == {
        "creation",
        "expiration",
        "termination",
        "checksum",
    }
    assert told.headers["tus-max-size"] == str(settings.content_bytes_limit)
    without = await uploader.client.post("/v1/uploads", headers={"upload-length": "1"})
    assert without.status_code in {412, 422}
    over = await uploader.begin(length=settings.content_bytes_limit + 1)
    assert over.status_code == 413
    await uploader.begin()
    answer = await uploader.send(0, b"x", content_type="text/plain")
    assert answer.status_code == 415


async def test_an_ended_upload_is_gone(uploader, settings):
    await uploader.begin()
    assert (await uploader.client.delete(uploader.path, headers=TUS)).status_code == 204
    assert (await uploader.client.head(uploader.path, headers=TUS)).status_code == 404
    assert list((settings.content_dir / "uploads").iterdir()) == []


async def test_an_upload_past_its_time_is_told_and_swept(
    uploader, settings, clock, database, asserter
):
    await uploader.begin()
    clock.move(timedelta(hours=24, seconds=1))
    again = system("ID-BB/GOV/dinsos-pmd/bansos", "archive.write")
    uploader.client.headers.update(asserter.headers(again, "archive"))
    assert (await uploader.client.head(uploader.path, headers=TUS)).status_code == 410
    assert await sweep_uploads(database, clock, Partials(settings.content_dir)) == 1
    assert list((settings.content_dir / "uploads").iterdir()) == []


async def test_a_stranger_does_not_see_the_upload(uploader, stranger):
    await uploader.begin()
    assert (await stranger.head(uploader.path, headers=TUS)).status_code == 404
    mine, uploader.client = uploader.client, stranger
    assert (await uploader.begin()).status_code == 404
    assert (await uploader.send(0, CONTENT)).status_code == 404
    uploader.client = mine


@pytest.mark.parametrize(
    "metadata", [{"record_id": "x"}, {"sha256": "zz"}, {"filetype": "../../etc"}]
)
async def test_metadata_that_cannot_be_used_is_refused(uploader, metadata):
    assert (await uploader.begin(**metadata)).status_code == 400


def test_metadata_that_is_not_base64_is_refused():
    with pytest.raises(UploadMetadataInvalid):
        metadata_of("record_id ***")


async def pieces(content, size):
    for start in range(0, len(content), size):
        yield content[start : start + size]


KEY = bytes(range(64))


@pytest.mark.parametrize("key", [None, KEY], ids=["plain", "sealed"])
@given(
    st.lists(st.binary(max_size=2_000), max_size=6), st.integers(1, 700), st.binary(max_size=200)
)
async def test_however_it_is_cut_the_file_is_the_whole(tmp_path_factory, key, parts, size, lost):
    """Between two pieces a kill leaves behind the count what it may."""
    partials, upload_id = Partials(tmp_path_factory.mktemp("p")), uuid7()
    await partials.create(upload_id)
    whole, received = b"".join(parts), 0

    async def counted(now):
        nonlocal received
        received = now

    async def lose(now):
        pass

    for part in parts:
        async with partials.writing(upload_id, key) as file:
            over = Piece(file, received, len(whole) + len(lost), lose)
            await over.take(pieces(lost, size))
        async with partials.writing(upload_id, key) as file:
            await Piece(file, received, len(whole), counted).take(pieces(part, size))
    assert received == len(whole)
    if key is None:
        assert partials.path(upload_id).read_bytes() == whole
    else:
        assert b"".join([one async for one in partials.opened(upload_id, key, received)]) == whole
        assert not whole[16:] or whole[:16] not in partials.path(upload_id).read_bytes()


@pytest.mark.parametrize("cuts", [[], [1], [65_535], [65_536], [65_537, 65_539, 131_072]])
async def test_a_sealed_file_grows_over_its_units(tmp_path, cuts):
    partials, upload_id = Partials(tmp_path), uuid7()
    await partials.create(upload_id)

    async def counted(now):
        pass

    for start, end in pairwise([0, *cuts, len(CONTENT)]):
        async with partials.writing(upload_id, KEY) as file:
            piece = Piece(file, start, len(CONTENT), counted)
            await piece.take(pieces(CONTENT[start:end], 9_999))
    assert b"".join([one async for one in partials.opened(upload_id, KEY, len(CONTENT))]) == CONTENT
    with pytest.raises(OSError, match="shorter"):
        [one async for one in partials.opened(upload_id, KEY, len(CONTENT) + 99)]
