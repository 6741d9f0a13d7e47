"""Statements straight to the driver share the session's transaction and its failures."""

import pytest
from sebalai_shared.statements import execute, fetch, fetch_one
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

INSERT = "INSERT INTO thing (id, name) VALUES (gen_random_uuid(), $1 || $2)"
OWN = text("INSERT INTO thing (id, name) VALUES (gen_random_uuid(), 'statements:session')")
COUNT = "SELECT split_part(name, ':', 2) AS name FROM thing WHERE name LIKE $1 || '%' ORDER BY name"


@pytest.fixture
async def store(database):
    yield database
    async with database.transaction() as session:
        await session.execute(text("DELETE FROM thing WHERE name LIKE 'statements:%'"))


async def kept(store):
    async with store.transaction() as session:
        return [row.name for row in await fetch(session, COUNT, "statements:")]


async def both(session, first):
    if first == "session":
        await session.execute(OWN)
    assert await execute(session, INSERT, "statements:", "driver") == 1
    if first == "driver":
        await session.execute(OWN)


@pytest.mark.parametrize("first", ["driver", "session"])
async def test_what_the_driver_and_the_session_wrote_is_kept_together(store, first):
    async with store.transaction() as session:
        await both(session, first)
        assert len(await fetch(session, COUNT, "statements:")) == 2
    assert await kept(store) == ["driver", "session"]


@pytest.mark.parametrize("first", ["driver", "session"])
async def test_what_the_driver_and_the_session_wrote_is_undone_together(store, first):
    async with store.transaction() as session:
        await both(session, first)
        await session.rollback()
    assert await kept(store) == []


async def test_the_next_transaction_of_a_session_begins_anew(store):
    async with store.sessions() as session:
        async with session.begin():
            await execute(session, INSERT, "statements:", "first")
        async with session.begin():
            await execute(session, INSERT, "statements:", "second")
            await session.rollback()
    assert await kept(store) == ["first"]


async def test_a_failure_of_the_database_is_one_that_the_application_answers(store):
    for run in (fetch, fetch_one, execute):
        with pytest.raises(DBAPIError) as failed:
            async with store.transaction() as session:
                await run(session, "SELECT 1 / $1::int", 0)
        assert failed.value.orig.sqlstate == "22012"
        assert not failed.value.connection_invalidated


async def lose(store):
    async with store.transaction() as session:
        me = await fetch_one(session, "SELECT pg_backend_pid() AS pid")
        async with store.transaction() as other:
            await fetch(other, "SELECT pg_terminate_backend($1)", me.pid)
        await fetch_one(session, "SELECT 1")


async def test_a_lost_connection_is_told_as_lost(store):
    with pytest.raises(DBAPIError) as failed:
        await lose(store)
    assert failed.value.connection_invalidated
