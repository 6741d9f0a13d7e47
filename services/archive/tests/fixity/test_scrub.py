"""Damage is found, set aside and repaired from the replica; nothing damaged is given out as sound."""

import hashlib

import pytest
from sebalai_archive.copies import Copies
from sebalai_archive.fixity import actions
from sebalai_archive.fixity.jobs import Scrubber
from sebalai_archive.storing import content_store_of
from sebalai_shared.testing.http import system
from sqlalchemy import text

from services.archive.tests.conftest import NOW
from services.archive.tests.records.conftest import CONTENT, Desk

SHA = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def store(settings):
    return content_store_of(settings)


@pytest.fixture
def scrubber_of(database, clock, store, settings):
    def make(replica):
        return Scrubber(database, clock, Copies(store.place, replica), None)

    return make


@pytest.fixture
def operator(client_of):
    return client_of(system("ID-BB/GOV/diskominfo/operasi", "platform.operate"))


@pytest.fixture
async def record(writer):
    return await Desk(writer).declared()


def damage(path):
    path.chmod(0o640)
    path.write_bytes(b"x" + CONTENT[1:])


async def test_sound_content_is_verified_and_copied(record, scrubber_of, store, tmp_path, operator):
    assert await scrubber_of(tmp_path / "replica").scrub(store.place) == 1
    assert (tmp_path / "replica" / SHA[:2] / SHA).read_bytes() == CONTENT
    figures = (await operator.get("/v1/fixity")).json()
    assert figures == {
        "contents": 1,
        "never": 0,
        "lost": 0,
        "unreplicated": 0,
        "unsealed": 1,
        "oldest_seconds": 0.0,
    }


@pytest.mark.parametrize("kind", ["damaged", "missing"])
async def test_damage_is_set_aside_and_repaired(  # noqa: PLR0917 - fixtures
    kind, record, scrubber_of, store, settings, tmp_path, database, writer
):
    scrubber = scrubber_of(tmp_path / "replica")
    await scrubber.scrub(store.place)
    if kind == "damaged":
        damage(store.place.path(SHA))
    else:
        store.place.path(SHA).unlink()
    await scrubber.scrub(store.place)
    assert (await writer.get(f"/v1/records/{record['id']}/content")).content == CONTENT
    aside = list((settings.content_dir / "quarantine").iterdir())
    assert len(aside) == (kind == "damaged")
    async with database.transaction() as session:
        kinds = (await session.scalars(text("SELECT kind FROM fixity_event ORDER BY id"))).all()
        told = (
            await session.scalars(text("SELECT document FROM outbox ORDER BY seq DESC"))
        ).first()
    assert kinds == [kind, "repaired"]
    assert SHA not in str(told)


async def test_a_bad_replica_repairs_nothing_and_is_made_anew(
    record, scrubber_of, store, tmp_path, operator, writer
):
    scrubber = scrubber_of(tmp_path / "replica")
    await scrubber.scrub(store.place)
    replica = tmp_path / "replica" / SHA[:2] / SHA
    damage(replica)
    await scrubber.scrub(store.place)
    assert replica.read_bytes() == CONTENT
    damage(replica)
    damage(store.place.path(SHA))
    await scrubber.scrub(store.place)
    assert (await operator.get("/v1/fixity")).json()["lost"] == 1
    assert (await writer.get(f"/v1/records/{record['id']}/content")).status_code == 503


async def test_without_a_replica_damage_is_told_as_loss(record, scrubber_of, store, operator):
    damage(store.place.path(SHA))
    await scrubber_of(None).scrub(store.place)
    assert (await operator.get("/v1/fixity")).json()["lost"] == 1


async def test_the_longest_unverified_comes_first(writer, scrubber_of, store, database):
    desk = Desk(writer)
    await desk.declared(b"one")
    await scrubber_of(None).scrub(store.place)
    await desk.declared(b"two")
    async with database.transaction() as session:
        order = await actions.next_contents(session, now=NOW)
    assert order[0] == hashlib.sha256(b"two").hexdigest()


async def test_the_figures_are_the_operators(writer):
    assert (await writer.get("/v1/fixity")).status_code == 403
