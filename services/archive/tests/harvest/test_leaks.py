"""The harvest is for everybody: what is not public is neither listed, counted nor known to it."""

import asyncio

import pytest
from sebalai_archive.harvest.store import begin_reading
from sebalai_archive.loading import load_reference
from sebalai_archive.records.model import DRAFT
from sebalai_archive.settings import ArchiveSettings
from sebalai_shared.database import Database
from sqlalchemy import text

from services.archive.tests.conftest import owned_database
from services.archive.tests.harvest.conftest import NAMES, Shelf, errors, identifiers
from services.archive.tests.records.conftest import Desk

LIST = {"verb": "ListIdentifiers", "metadataPrefix": "oai_dc"}
SECRET = "Operasi Rajawali"


@pytest.mark.parametrize("security_class", ["terbatas", "rahasia", "sangat_rahasia"])
async def test_no_verb_tells_of_a_record_that_is_not_public(ask, shelf, security_class):
    hidden = await shelf.keep(security_class=security_class, title=SECRET, agency="rahasia-x")
    await shelf.keep()
    assert await shelf.show() == 1
    for more in ({"identifier": hidden, "metadataPrefix": "oai_dc"},):
        assert errors(await ask(verb="GetRecord", **more)) == ["idDoesNotExist"]
    assert errors(await ask(verb="ListMetadataFormats", identifier=hidden)) == ["idDoesNotExist"]
    assert hidden not in identifiers(await ask(**LIST))
    named = [one.text for one in (await ask(verb="ListSets")).findall(".//o:setSpec", NAMES)]
    assert "agency:rahasia-x" not in named
    assert errors(await ask(**LIST, set="agency:rahasia-x")) == ["noRecordsMatch"]


async def test_a_draft_is_not_shown_and_a_declaration_is(desk_like, ask, shelf):
    record_id = await desk_like("biasa")
    assert await shelf.show() == 1
    assert identifiers(await ask(**LIST)) == [f"urn:uuid:{record_id}"]


@pytest.fixture
def desk_like(writer):
    async def declare(security_class):
        desk = Desk(writer)
        record_id = await desk.draft(security_class=security_class)
        assert (await writer.get(f"/v1/records/{record_id}")).json()["state"] == DRAFT
        await desk.put(record_id)
        await desk.declare(record_id)
        return record_id

    return declare


async def test_an_owner_sees_in_the_harvest_no_more_than_anybody(writer, shelf):
    await shelf.keep(security_class="terbatas")
    await shelf.show()
    answer = await writer.get("/v1/oai", params=LIST)
    assert 'code="noRecordsMatch"' in answer.text


async def test_a_change_is_never_stamped_before_an_answer_that_missed_it(
    postgres_admin_url, reference, clock
):
    """An answer is under way: the publication waits for it, and takes its time afterwards."""
    url = await owned_database(postgres_admin_url, "archive_harvest")
    database = Database(ArchiveSettings(database_url=url))
    await load_reference(database, reference)
    shelf = Shelf(database, clock)
    try:
        async with database.transaction() as reading:
            answered = await begin_reading(reading)
            await shelf.keep()
            showing = asyncio.create_task(shelf.show())
            await _wait_for_waiter(database, showing)
            seen = await reading.scalar(text("SELECT count(*) FROM harvest_item"))
            assert not showing.done()
        await showing
        async with database.transaction() as session:
            at = await session.scalar(text("SELECT at FROM harvest_item"))
        assert seen == 0
        assert at >= answered
    finally:
        await database.close()


async def _wait_for_waiter(database, showing):
    async with database.transaction() as session:
        while not showing.done() and not await session.scalar(
            text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        ):
            await asyncio.sleep(0.01)
