import hashlib
import os
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_archive.content.files import FilePlace
from sebalai_archive.content.places import SWEEP_AFTER_SECONDS
from sebalai_archive.content_store import (
    ContentStore,
    DigestDiffers,
    OverLimit,
)

LIMIT = 4 * 1024 * 1024


async def pieces(content, size=1_000):
    for start in range(0, len(content), size):
        yield content[start : start + size]


def sha(content):
    return hashlib.sha256(content).digest()


@pytest.fixture
def store(tmp_path):
    return ContentStore(FilePlace(tmp_path), LIMIT)


def files(folder):
    return sorted(p for p in folder.rglob("*") if p.is_file())


def age(path):
    old = time.time() - SWEEP_AFTER_SECONDS - 60
    os.utime(path, (old, old))


async def named(*digests):
    return set(digests)


async def test_a_stored_file_stands_under_its_digest(store, tmp_path):
    content = os.urandom(2_500_000)
    stored = await store.put(pieces(content), sha(content))
    assert store.place.path(stored.sha256).read_bytes() == content
    assert files(tmp_path) == [store.place.path(stored.sha256)]
    assert await store.holds(stored)


async def test_what_fails_leaves_nothing(store, tmp_path):
    async def broken():
        yield b"half"
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        await store.put(broken(), sha(b"half"))
    with pytest.raises(DigestDiffers):
        await store.put(pieces(b"a"), sha(b"b"))
    with pytest.raises(OverLimit):
        await store.put(pieces(bytes(LIMIT + 1), 65_536), sha(b""))
    assert files(tmp_path) == []


async def test_the_sweeper_takes_old_files_that_no_row_names(store, tmp_path):
    contents = [b"named", b"unnamed", b"young"]
    kept, lost, young = [await store.put(pieces(c), sha(c)) for c in contents]
    staged = tmp_path / "stage" / "abandoned"
    staged.write_bytes(b"half")
    for path in (store.place.path(kept.sha256), store.place.path(lost.sha256), staged):
        age(path)

    async def ask(digests):
        return set(digests) & {kept.sha256}

    assert await store.sweep(ask) == 2
    assert files(tmp_path) == sorted(
        [store.place.path(kept.sha256), store.place.path(young.sha256)]
    )
    assert await store.sweep(ask) == 0


async def test_an_upload_of_the_same_bytes_saves_an_old_file_from_the_sweeper(store):
    stored = await store.put(pieces(b"again"), sha(b"again"))
    age(store.place.path(stored.sha256))

    async def meanwhile(_):
        # The sweeper has listed the file; an upload of the same bytes comes before it removes it.
        await store.put(pieces(b"again"), sha(b"again"))
        return set()

    assert await store.sweep(meanwhile) == 0
    assert await store.holds(stored)


async def test_a_foreign_size_is_not_held(store):
    stored = await store.put(pieces(b"abc"), sha(b"abc"))
    path = store.place.path(stored.sha256)
    path.chmod(0o640)
    path.write_bytes(b"ab")
    assert not await store.holds(stored)


@given(st.binary(max_size=5_000), st.integers(1, 700))
async def test_however_it_is_cut_the_same_bytes_come_out(tmp_path_factory, content, size):
    store = ContentStore(FilePlace(tmp_path_factory.mktemp("cas")), LIMIT)
    stored = await store.put(pieces(content, size), sha(content))
    assert store.place.path(stored.sha256).read_bytes() == content
    assert stored.size == len(content)
