"""Both places do the same: a folder, and a bucket (against a stand-in of S3)."""

import hashlib
import os
from datetime import UTC, datetime, timedelta

import pytest
from sebalai_archive.content.files import FilePlace
from sebalai_archive.content.keys import ClassKeys, add_keys
from sebalai_archive.content.places import ERASE_AFTER_SECONDS, SWEEP_AFTER_SECONDS
from sebalai_archive.content.s3 import PART_BYTES, Bucket, S3Place, open_bucket
from sebalai_archive.content_store import ContentStore, DigestDiffers
from sebalai_archive.copies import Copies, digest_of
from sebalai_archive.settings import ArchiveSettings
from sebalai_archive.storing import content_store_of
from sebalai_shared.ids import uuid7

from services.archive.tests.systems.s3 import Bucket as StandIn
from services.archive.tests.systems.s3 import s3_app

LIMIT = 64 * 1024**2
CONTENT = os.urandom(300_000)
SIZES = (0, 1, 300_000, PART_BYTES + 5_000_000)


class Folder:
    def __init__(self, folder):
        self.place = FilePlace(folder)

    def age(self, digest, seconds):
        at = datetime.now(UTC).timestamp() - seconds - 60
        os.utime(self.place.path(digest), (at, at))

    def damage(self, digest):
        self.place.path(digest).chmod(0o640)
        self.place.path(digest).write_bytes(b"damaged")


class Remote:
    def __init__(self, url, folder):
        self.bucket = StandIn()
        self.told = Bucket(url, "arsip", "id-1", "babel", "key", "secret")
        self.folder = folder

    @property
    def place(self):
        return S3Place(open_bucket(self.told), self.folder / "stage")

    def age(self, digest, seconds):
        key = f"babel/cas/{digest[:2]}/{digest}"
        self.bucket.age(key, datetime.now(UTC) - timedelta(seconds=seconds + 60))

    def damage(self, digest):
        key = f"babel/cas/{digest[:2]}/{digest}"
        self.bucket.objects[key] = (b"damaged", datetime.now(UTC))


@pytest.fixture(params=["folder", "bucket"])
async def at(request, tmp_path, listening):
    if request.param == "folder":
        yield Folder(tmp_path)
        return
    remote = Remote("", tmp_path)
    async with listening(s3_app(remote.bucket)) as url:
        remote.told = Bucket(url, "arsip", "id-1", "babel", "key", "secret")
        yield remote


@pytest.fixture(params=[False, True], ids=["plain", "sealed"])
def store(request, at, tmp_path):
    if not request.param:
        return ContentStore(at.place, LIMIT)
    add_keys(tmp_path / "keys.json", "first")
    return ContentStore(at.place, LIMIT, ClassKeys.from_file(tmp_path / "keys.json"))


async def once(content):
    for start in range(0, len(content), 1_000_000):
        yield content[start : start + 1_000_000]


async def put(store, content=CONTENT):
    return await store.put(once(content), hashlib.sha256(content).digest(), "rahasia")


@pytest.mark.parametrize("size", SIZES)
async def test_what_is_put_comes_back_and_lies_under_its_digest(store, at, size):
    content = os.urandom(size)
    kept = await put(store, content)
    assert (kept.sha256, kept.size) == (hashlib.sha256(content).hexdigest(), size)
    assert await store.holds(kept)
    assert await store.read(kept) == content
    assert await digest_of(at.place, kept.stored) == kept.stored
    stage = store.place.stage
    assert list(stage.iterdir()) == []


async def test_what_differs_is_not_kept(store):
    with pytest.raises(DigestDiffers):
        await store.put(once(CONTENT), hashlib.sha256(b"else").digest(), "rahasia")
    assert list(store.place.stage.iterdir()) == []


async def test_a_whole_file_is_adopted_and_stays(store, tmp_path):
    path = tmp_path / "stage" / "whole"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(CONTENT)
    kept = await store.adopt(path, hashlib.sha256(CONTENT).hexdigest(), "rahasia")
    assert await store.read(kept) == CONTENT
    assert path.read_bytes() == CONTENT


async def test_erasing_waits_for_what_is_young(store, at):
    kept = await put(store)
    assert not await store.erase(kept.stored, uuid7())
    at.age(kept.stored, ERASE_AFTER_SECONDS)
    assert await store.erase(kept.stored, uuid7())
    assert await store.absence(kept.stored) == {"content": "absent"}
    assert await store.erase(kept.stored, uuid7())


async def test_what_nothing_names_is_swept_once_it_is_old(store, at):
    kept, named, young = [await put(store, os.urandom(1_000)) for _ in range(3)]
    for one in (kept, named):
        at.age(one.stored, SWEEP_AFTER_SECONDS)

    async def ask(stored):
        return set(stored) & {named.stored}

    assert await store.sweep(ask) == 1
    assert [await store.holds(one) for one in (kept, named, young)] == [False, True, True]


async def test_an_upload_of_the_same_bytes_saves_old_ones_from_the_sweeper(at):
    store = ContentStore(at.place, LIMIT)
    kept = await put(store)
    at.age(kept.stored, SWEEP_AFTER_SECONDS)

    async def meanwhile(_):
        await put(store)
        return set()

    assert await store.sweep(meanwhile) == 0
    assert await store.holds(kept)


async def test_damage_is_set_aside_and_repaired_from_the_copy(store, at, tmp_path):
    copies = Copies(at.place, tmp_path / "replica")
    kept = await put(store)
    assert await copies.copy_out(kept.stored)
    at.damage(kept.stored)
    assert await digest_of(at.place, kept.stored) != kept.stored
    assert await copies.set_aside(kept.stored)
    assert not await copies.set_aside(kept.stored)
    assert await copies.repair(kept.stored)
    assert await store.read(kept) == CONTENT
    assert await copies.absence(kept.stored) == {"quarantine": "present", "replica": "present"}
    await copies.erase(kept.stored)
    assert await copies.absence(kept.stored) == {"quarantine": "absent", "replica": "absent"}


async def test_a_bucket_that_refuses_keeps_nothing_and_says_so(listening, tmp_path):
    remote = Remote("", tmp_path)
    remote.bucket.refusing = True
    async with listening(s3_app(remote.bucket)) as url:
        remote.told = Bucket(url, "arsip", "id-1", "babel", "key", "secret")
        store = ContentStore(remote.place, LIMIT)
        with pytest.raises(OSError, match="does not do it"):
            await put(store)
        with pytest.raises(OSError, match="does not do it"):
            await store.check()
    assert remote.bucket.objects == {}
    assert list(store.place.stage.iterdir()) == []


async def test_the_settings_choose_the_bucket(tmp_path):
    told = {
        "content_dir": tmp_path,
        "content_s3_url": "https://s3.babel.example",
        "content_s3_bucket": "arsip",
        "content_s3_key_id": "key",
        "content_s3_secret": "secret",
    }
    store = content_store_of(ArchiveSettings(**told))
    assert isinstance(store.place, S3Place)
    with pytest.raises(ValueError, match="content_s3_bucket"):
        ArchiveSettings(**told | {"content_s3_bucket": ""})
    with pytest.raises(ValueError, match="https"):
        ArchiveSettings(**told | {"content_s3_url": "http://s3.babel.example"})


async def test_equal_bytes_are_written_once(listening, tmp_path):
    remote = Remote("", tmp_path)
    async with listening(s3_app(remote.bucket)) as url:
        remote.told = Bucket(url, "arsip", "id-1", "babel", "key", "secret")
        store = ContentStore(remote.place, LIMIT)
        await put(store)
        await put(store)
    assert remote.bucket.puts == 1
