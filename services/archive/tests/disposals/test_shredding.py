"""The data key of a destroyed record goes with it: what some copy still holds opens never again."""

import os
import time

import pytest
from sebalai_archive.content.keys import KeyUnknown, add_keys
from sebalai_archive.content.places import ERASE_AFTER_SECONDS
from sebalai_archive.copies import Copies
from sebalai_archive.disposals.jobs import Stores, erase_destroyed
from sebalai_archive.seals import actions as seals
from sebalai_archive.storing import content_store_of
from sqlalchemy import text

from services.archive.tests.disposals.test_destruction import DUE, SHORT

CONTENT = b"berkas perkara " * 5_000


@pytest.fixture
def settings(settings, tmp_path):
    path = tmp_path / "keys.json"
    add_keys(path, "first")
    return settings.model_copy(update={"content_keys_file": path})


@pytest.fixture
def stores(settings):
    store = content_store_of(settings)
    return Stores(store, Copies(store.place, settings.content_dir / "replica"))


def age(path):
    old = time.time() - ERASE_AFTER_SECONDS - 60
    os.utime(path, (old, old))


async def located(database, sha256):
    async with database.transaction() as session:
        return await seals.locate(session, sha256=sha256, size=len(CONTENT))


async def test_the_data_key_of_a_destroyed_record_is_destroyed(panel, database, stores, clock):
    record_id = await panel.record(SHORT, DUE, CONTENT)
    record = (await panel.desk.get(f"/v1/records/{record_id}")).json()
    assert record["security_class"] != "biasa"
    kept = await located(database, record["content"]["sha256"])
    path = stores.content.place.path(kept.stored)
    backup = path.read_bytes()
    await panel.step(await panel.decreed(record_id), "execute")
    age(path)
    assert await erase_destroyed(database, stores, clock) == 1
    async with database.transaction() as session:
        [proof] = await session.scalars(text("SELECT proof FROM tombstone"))
        assert await session.scalar(text("SELECT count(*) FROM content_seal")) == 0
    assert (proof["data_key"], proof["stores"]["content"]) == ("destroyed", "absent")
    assert CONTENT[:15] not in backup


async def test_a_sealed_content_that_another_record_names_keeps_its_key(
    panel, database, stores, clock
):
    record_id = await panel.record(SHORT, DUE, CONTENT)
    other = await panel.record(SHORT, "2026-01-01", CONTENT)
    await panel.step(await panel.decreed(record_id), "execute")
    assert await erase_destroyed(database, stores, clock) == 1
    assert (await panel.desk.get(f"/v1/records/{other}/content")).content == CONTENT


async def test_without_the_class_key_nothing_is_given_out(panel, database, stores, settings):
    record_id = await panel.record(SHORT, DUE, CONTENT)
    record = (await panel.desk.get(f"/v1/records/{record_id}")).json()
    kept = await located(database, record["content"]["sha256"])
    settings.content_keys_file.unlink()
    add_keys(settings.content_keys_file, "another")
    with pytest.raises(KeyUnknown):
        await content_store_of(settings).read(kept)
