"""Every declared record becomes an object; from the objects alone the archive is made anew."""

import hashlib
import json
import os
import time
from datetime import timedelta

import pytest
from sebalai_archive.content.keys import add_keys
from sebalai_archive.content.objects import Preservation
from sebalai_archive.content.places import ERASE_AFTER_SECONDS, SWEEP_AFTER_SECONDS
from sebalai_archive.copies import Copies
from sebalai_archive.disposals.jobs import Stores, erase_destroyed
from sebalai_archive.loading import load_reference
from sebalai_archive.preservation.jobs import Preserver
from sebalai_archive.preservation.rebuilding import Rebuilder, declared_in
from sebalai_archive.preservation.store import PASSING, ROWS
from sebalai_archive.seals.jobs import sweep_content, wrap_anew
from sebalai_archive.storing import content_store_of
from sebalai_shared.database import Database
from sqlalchemy import text

from services.archive.tests.conftest import owned_database
from services.archive.tests.disposals.conftest import key
from services.archive.tests.disposals.test_destruction import DUE, SHORT

PUBLIC, SECRET = b"pengumuman " * 200, b"berkas perkara " * 5_000


@pytest.fixture
def settings(settings, tmp_path):
    path = tmp_path / "keys.json"
    add_keys(path, "first")
    return settings.model_copy(update={"content_keys_file": path})


@pytest.fixture
def store(settings):
    return content_store_of(settings)


@pytest.fixture
def preserved(settings):
    return Preservation.at(settings.content_dir / "ocfl")


@pytest.fixture
def preserver(database, store, preserved, clock):
    return Preserver(database, store, preserved, clock)


@pytest.fixture
def stores(store, preserved):
    return Stores(store, Copies(store.place, None), preserved)


def lying(preserved):
    return {
        path.relative_to(preserved.root.folder).as_posix(): path.read_bytes()
        for path in preserved.root.folder.rglob("*")
        if path.is_file()
    }


async def test_a_record_above_public_lies_sealed_content_and_metadata(panel, preserver, preserved):
    record_id = await panel.record(SHORT, "2026-01-01", SECRET, title="Nama terang")
    assert await preserver.preserve() > 0
    assert await preserver.preserve() == 0
    inventory = preserved.root.inventory(f"urn:uuid:{record_id}")
    state = inventory["versions"]["v1"]["state"]
    assert sorted(path for [path] in state.values()) == ["content.sealed", "record.json.sealed"]
    for box in lying(preserved).values():
        assert b"Nama terang" not in box
        assert SECRET[:15] not in box


async def test_a_public_record_lies_plain(panel, preserver, preserved):
    record_id = await panel.record(
        SHORT, "2026-01-01", PUBLIC, title="Nama terang", security_class="biasa"
    )
    await preserver.preserve()
    path = preserved.root.path(f"urn:uuid:{record_id}")
    assert (path / "v1/content/content").read_bytes() == PUBLIC
    document = json.loads((path / "v1/content/record.json").read_bytes())
    assert document["record"][0]["title"] == "Nama terang"
    assert document["record_retention"][0]["trigger_date"] == "2026-01-01"


async def test_what_changes_later_is_the_next_version(panel, preserver, preserved, clock):
    record_id = await panel.record(SHORT, "2026-01-01", SECRET)
    await preserver.preserve()
    need = {"kind": "leave", "agency": "dp3acskb", "reason": "permohonan"}
    given = await panel.desk.post(f"/v1/records/{record_id}/needs", json=need, headers=key())
    assert given.status_code == 201, given.text
    assert await preserver.preserve() == 0
    clock.move(timedelta(hours=2))
    assert await preserver.preserve() == 1
    inventory = preserved.root.inventory(f"urn:uuid:{record_id}")
    assert inventory["head"] == "v2"
    assert len(inventory["manifest"]) == 3


async def test_a_damaged_object_is_written_anew(panel, preserver, preserved, clock):
    record_id = await panel.record(SHORT, "2026-01-01", SECRET)
    await preserver.preserve()
    (preserved.root.path(f"urn:uuid:{record_id}") / "inventory.json").write_text("{}")
    clock.move(timedelta(hours=2))
    assert await preserver.preserve() == 1
    assert preserved.root.inventory(f"urn:uuid:{record_id}") is not None


def age(path, seconds):
    old = time.time() - seconds - 60
    os.utime(path, (old, old))


async def test_a_destroyed_record_leaves_an_object_that_tells_of_it(  # noqa: PLR0917 - fixtures
    panel, preserver, preserved, stores, database, store, clock, settings
):
    record_id = await panel.record(SHORT, DUE, SECRET)
    await preserver.preserve()
    sealed = set(lying(preserved).values())
    await panel.step(await panel.decreed(record_id), "execute")
    for path in (settings.content_dir / "cas").rglob("*"):
        if path.is_file():
            age(path, ERASE_AFTER_SECONDS)
    assert await erase_destroyed(database, stores, clock) == 1
    async with database.transaction() as session:
        [proof] = await session.scalars(text("SELECT proof FROM tombstone"))
    assert proof["stores"]["ocfl"] == "absent"
    assert preserved.root.inventory(f"urn:uuid:{record_id}") is None
    await preserver.preserve()
    inventory = preserved.root.inventory(f"urn:uuid:{record_id}")
    assert [p for [p] in inventory["versions"]["v1"]["state"].values()] == ["record.json.sealed"]
    path = preserved.root.path(f"urn:uuid:{record_id}")
    assert (path / "v1/content/record.json.sealed").read_bytes() not in sealed
    assert len(list(preserved.seals._folder.rglob("*.json"))) == 1


async def test_the_sweeper_leaves_what_objects_hold(  # noqa: PLR0917 - fixtures
    panel, preserver, preserved, database, store, clock, settings
):
    await panel.record(SHORT, "2026-01-01", SECRET)
    await preserver.preserve()
    for path in (settings.content_dir / "cas").rglob("*"):
        if path.is_file():
            age(path, SWEEP_AFTER_SECONDS)
    assert await sweep_content(database, store, clock) == 0


async def rows_of(database, table):
    drop = "".join(f" - '{name}'" for name in PASSING.get(table, ()))
    async with database.transaction() as session:
        await session.execute(text("SELECT set_config('archive.rank', 'worker', true)"))
        query = f"SELECT to_jsonb(t){drop} AS row FROM {table} t ORDER BY to_jsonb(t)::text"  # noqa: S608
        found = [row for [row] in await session.execute(text(query))]
    # A draft is no record yet, and what only it needs is not kept.
    return [row for row in found if row.get("state") != "draft"]


async def facts_of(database):
    async with database.transaction() as session:
        found = await session.scalars(text("SELECT document::text FROM outbox ORDER BY seq"))
        return list(found)


@pytest.fixture
async def empty(postgres_admin_url, reference, tmp_path, settings):
    """A migrated, loaded archive without a record, and its own content folder."""
    url = await owned_database(postgres_admin_url, "archive_rebuilt")
    anew = settings.model_copy(update={"database_url": url, "content_dir": tmp_path / "anew"})
    database = Database(anew)
    await load_reference(database, reference)
    yield database, content_store_of(anew)
    await database.close()


async def story(panel, stores, database, clock, settings):
    """Records public and not, with file unit, need, relation, hold; and one destroyed."""
    desk = panel.desk
    unit = {"number": "1", "title": "Berkas", "classification": SHORT}
    made = await desk.post("/v1/file-units", json=unit, headers=key())
    assert made.status_code == 201, made.text
    first = await panel.record(SHORT, "2026-01-01", PUBLIC, security_class="biasa")
    second = await panel.record(SHORT, "2026-01-01", SECRET, file_unit=made.json()["id"])
    need = {"kind": "leave", "agency": "dp3acskb", "reason": "permohonan"}
    await desk.post(f"/v1/records/{second}/needs", json=need, headers=key())
    await desk.put(f"/v1/records/{first}/relations", json={"kind": "refers_to", "record": second})
    hold = {"reason": "perkara", "reference": "1", "records": [second]}
    await desk.post("/v1/holds", json=hold, headers=key())
    gone = await panel.record(SHORT, DUE, b"dimusnahkan " * 100)
    await panel.step(await panel.decreed(gone), "execute")
    for path in (settings.content_dir / "cas").rglob("*"):
        if path.is_file():
            age(path, ERASE_AFTER_SECONDS)
    assert await erase_destroyed(database, stores, clock) == 1
    return first, second, gone


async def test_the_archive_is_made_anew_from_objects_seals_and_ledger(  # noqa: PLR0917 - fixtures
    panel, preserver, preserved, stores, database, clock, settings, empty
):
    _, second, gone = await story(panel, stores, database, clock, settings)
    await preserver.preserve()
    anew, content = empty
    ledger = declared_in(await facts_of(database))
    rebuilt = await Rebuilder(anew, content, preserved, clock).rebuild(ledger)
    assert rebuilt.is_whole, rebuilt
    for table in ROWS:
        # Its list, its acts and its letters are the disposal's, not the record's.
        assert await rows_of(anew, table) == await rows_of(database, table), table
    again = await Rebuilder(anew, content, preserved, clock).rebuild(ledger)
    assert not any(again.rows.values())
    async with anew.transaction() as session:
        from sebalai_archive.seals import actions as seals  # noqa: PLC0415

        sha256 = hashlib.sha256(SECRET).hexdigest()
        kept = await seals.locate(session, sha256=sha256, size=len(SECRET))
    assert await content.read(kept) == SECRET
    later = Preserver(anew, content, preserved, clock)
    assert await later.preserve() == 0, "what was made anew is what stands in the objects"
    assert second != gone


async def test_what_is_missing_or_was_changed_is_told(
    panel, preserver, preserved, database, clock, empty
):
    kept = await panel.record(SHORT, "2026-01-01", PUBLIC, security_class="biasa")
    lost = await panel.record(SHORT, "2026-01-01", SECRET)
    await preserver.preserve()
    preserved.root.purge(f"urn:uuid:{lost}")
    path = preserved.root.path(f"urn:uuid:{kept}") / "v1/content/record.json"
    path.chmod(0o640)
    document = json.loads(path.read_bytes())
    document["record"][0]["statement"] = document["record"][0]["statement"].replace("Arsip", "Lain")
    path.unlink()
    path.write_text(json.dumps(document))
    anew, content = empty
    ledger = declared_in(await facts_of(database))
    rebuilt = await Rebuilder(anew, content, preserved, clock).rebuild(ledger)
    assert (rebuilt.missing, rebuilt.differing) == ([lost], [kept])


async def test_after_a_rotation_the_copies_of_seals_follow(  # noqa: PLR0917 - fixtures
    panel, preserver, preserved, database, settings, clock, empty
):
    await panel.record(SHORT, "2026-01-01", SECRET)
    await preserver.preserve()
    add_keys(settings.content_keys_file, "second")
    renewed = content_store_of(settings)
    await wrap_anew(database, renewed)
    clock.move(timedelta(hours=2))
    assert await Preserver(database, renewed, preserved, clock).preserve() == 0
    told = [json.loads(path.read_bytes()) for path in preserved.seals._folder.rglob("*.json")]
    assert {one["key_id"] for one in told} == {"second"}
