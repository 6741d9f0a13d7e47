"""Contents that come at the same time, over a database that keeps what it commits."""

import asyncio
import os

import asyncpg
import pytest
from sebalai_archive.app import archive_app
from sebalai_shared.database import Database
from sebalai_shared.testing.http import in_process, system
from sqlalchemy import event

from services.archive.tests.records.conftest import Desk, digest_of

CALLERS = 12


@pytest.fixture
def settings(settings, kept_url):
    return settings.model_copy(update={"database_url": kept_url})


@pytest.fixture
async def kept(settings, clock):
    database = Database(settings)
    app = archive_app(settings, database, clock)
    yield app
    await app.state.outside.aclose()
    await database.close()


@pytest.fixture
def desk_of(kept, asserter):
    def make(application="ID-BB/GOV/dinsos-pmd/bansos"):
        caller = system(application, "archive.write")
        return Desk(in_process(kept, asserter.headers(caller, "archive")))

    return make


async def test_each_gets_its_own_content_in_fewer_transactions(kept, desk_of):
    desk, commits = desk_of(), []
    drafts = [await desk.draft() for _ in range(CALLERS)]
    contents = [os.urandom(1_000 + n) for n in range(CALLERS)]
    event.listen(kept.state.database.engine.sync_engine, "commit", commits.append)
    answers = await asyncio.gather(*map(desk.put, drafts, contents))
    assert [answer.status_code for answer in answers] == [200] * CALLERS
    assert 0 < len(commits) < CALLERS / 2
    for record_id, content, answer in zip(drafts, contents, answers, strict=True):
        assert (answer.json()["id"], answer.json()["content"]["same_as"]) == (record_id, [])
        read = await desk.client.get(f"/v1/records/{record_id}/content")
        assert read.content == content


async def test_equal_bytes_that_come_together_see_each_other(desk_of):
    desk, content = desk_of(), os.urandom(500)
    drafts = [await desk.draft() for _ in range(3)]
    answers = await asyncio.gather(*(desk.put(one, content) for one in drafts))
    for record_id, answer in zip(drafts, answers, strict=True):
        others = {one for one in drafts if one != record_id}
        assert set(answer.json()["content"]["same_as"]) <= others
    last = await desk.put(drafts[0], content)
    assert set(last.json()["content"]["same_as"]) == set(drafts[1:])


async def test_what_is_wrong_with_one_is_told_to_it_alone(desk_of):
    desk, stranger = desk_of(), desk_of("ID-BB/GOV/dp3acskb/kependudukan")
    declared, good, bad = (await desk.declared())["id"], await desk.draft(), await desk.draft()
    answers = await asyncio.gather(
        desk.put(good, b"a"),
        desk.put(bad, b"b", content_digest=digest_of(b"else")),
        desk.put(declared, b"c"),
        stranger.put(good, b"d"),
        desk.put(good, b"e", content_type="none"),
    )
    assert [answer.status_code for answer in answers] == [200, 400, 409, 404, 415]
    assert (await desk.client.get(f"/v1/records/{good}/content")).content == b"a"
    assert (await desk.client.get(f"/v1/records/{bad}")).json()["content"] is None


async def test_two_for_one_draft_are_both_answered_and_one_stays(desk_of):
    desk = desk_of()
    draft = await desk.draft()
    answers = await asyncio.gather(desk.put(draft, b"first"), desk.put(draft, b"second"))
    assert [answer.status_code for answer in answers] == [200, 200]
    read = await desk.client.get(f"/v1/records/{draft}/content")
    assert read.content in {b"first", b"second"}


async def test_a_draft_that_somebody_holds_keeps_no_other_waiting(desk_of, settings):
    desk = desk_of()
    held, free = await desk.draft(), await desk.draft()
    holder = await asyncpg.connect(settings.database_dsn())
    try:
        async with holder.transaction():
            await holder.execute("SELECT set_config('archive.rank', 'worker', true)")
            await holder.execute("SELECT 1 FROM record WHERE id = $1 FOR UPDATE", held)
            waiting = asyncio.create_task(desk.put(held, b"held"))
            assert (await desk.put(free, b"free")).status_code == 200
            assert not waiting.done()
        assert (await waiting).status_code == 200
    finally:
        await holder.close()


async def test_a_store_that_refuses_says_so_to_each(desk_of, settings):
    desk = desk_of()
    drafts = [await desk.draft() for _ in range(3)]
    settings.content_dir.parent.mkdir(exist_ok=True)
    settings.content_dir.write_text("no folder")
    answers = await asyncio.gather(*(desk.put(one, b"x") for one in drafts))
    assert [answer.status_code for answer in answers] == [503] * 3
