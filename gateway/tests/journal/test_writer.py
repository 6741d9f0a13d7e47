"""The journal's writer with a real PostgreSQL: what `append` has answered is on disk."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_gateway.journal import writer
from sebalai_gateway.journal.writer import AlreadyCompleted, Journal, JournalUnavailable
from sebalai_shared.clock import to_text
from sebalai_shared.ids import uuid7

AT = "2026-11-24T08:00:00.000Z"
FIRST = datetime(1970, 1, 1, tzinfo=UTC)


async def until(condition, seconds=20):
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.fixture
async def journal(journal_url):
    journal = Journal(journal_url)
    journal.start()
    await until(lambda: journal.is_up)
    yield journal
    await journal.close()


def record(**fields):
    return orjson.dumps({"v": 1} | fields)


async def kill_writer(database):
    """Ends every backend of the gateway's database but the one that asks."""
    await database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


async def test_concurrent_entries_all_land_in_few_commits(journal, database):
    ids = [uuid7() for _ in range(1_000)]
    await asyncio.gather(
        *(journal.append(str(i), "requested", AT, record(n=n)) for n, i in enumerate(ids))
    )
    rows = await database.fetch("SELECT message_id, phase, at, xid::text, record FROM journal")
    assert {row["message_id"] for row in rows} == set(ids)
    assert {(row["phase"], to_text(row["at"])) for row in rows} == {("requested", AT)}
    assert sorted(orjson.loads(row["record"])["n"] for row in rows) == list(range(1_000))
    # The batch limit is 512; a thousand at once are two commits, and one more that began at once.
    assert len({row["xid"] for row in rows}) <= 3


async def test_entry_is_visible_to_others_when_append_returns(journal, database):
    for _ in range(20):
        message_id = uuid7()
        await journal.append(str(message_id), "requested", AT, record())
        assert await database.fetchval(
            "SELECT phase FROM journal WHERE message_id = $1", message_id
        )


async def test_both_phases_of_a_call_lie_in_one_day(journal, database):
    message_id = uuid7()
    await journal.append(str(message_id), "requested", AT, record())
    await journal.append(str(message_id), "completed", AT, record())
    rows = await database.fetch("SELECT day, phase FROM journal ORDER BY seq")
    assert [row["phase"] for row in rows] == ["requested", "completed"]
    assert rows[0]["day"] == rows[1]["day"]


async def test_second_outcome_of_a_call_is_refused_and_the_first_stays(journal, database):
    message_id = uuid7()
    await journal.append(str(message_id), "completed", AT, record(outcome="unknown"))
    with pytest.raises(AlreadyCompleted):
        await journal.append(str(message_id), "completed", AT, record(outcome="answered"))
    rows = await database.fetch("SELECT record->>'outcome' AS outcome FROM journal")
    assert [row["outcome"] for row in rows] == ["unknown"]


async def test_of_two_outcomes_in_one_batch_one_wins(journal, database):
    message_id = uuid7()
    entries = [journal.append(str(message_id), "completed", AT, record(n=n)) for n in range(2)]
    results = await asyncio.gather(*entries, return_exceptions=True)
    assert await database.fetchval("SELECT count(*) FROM journal") == 1
    assert sorted(type(result) for result in results if result is not None) == [AlreadyCompleted]


@pytest.mark.parametrize(
    "statement", ["UPDATE journal SET phase = 'requested'", "DELETE FROM journal"]
)
async def test_entries_cannot_be_changed_or_deleted(journal, database, statement):
    await journal.append(str(uuid7()), "completed", AT, record())
    with pytest.raises(asyncpg.RaiseError, match="append-only"):
        await database.execute(statement)
    assert await database.fetchval("SELECT phase FROM journal") == "completed"


async def test_entries_in_a_day_of_their_own_cannot_be_changed_either(journal, database):
    await database.execute(
        "CREATE TABLE journal_20991231 PARTITION OF journal "
        "FOR VALUES FROM ('2099-12-31') TO ('2100-01-01')"
    )
    await database.execute(
        "INSERT INTO journal (day, message_id, phase, at, record) "
        "VALUES ('2099-12-31', $1, 'completed', now(), '{}')",
        uuid7(),
    )
    with pytest.raises(asyncpg.RaiseError, match="append-only"):
        await database.execute("DELETE FROM journal_20991231")


async def test_no_entry_stands_in_the_queue_of_notifications(journal, database):
    # All commits of a server that notify, of whatever database, go one by one, each with its own
    # wait for the disk: on a slow one a call's entry waited behind every other member's facts.
    heard = []
    await database.add_listener("journal", lambda *_: heard.append(1))
    await journal.append(str(uuid7()), "requested", AT, record())
    await database.execute("SELECT 1")
    assert not heard
    triggers = await database.fetch(
        "SELECT DISTINCT tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid "
        "WHERE NOT tgisinternal AND relname LIKE 'journal%'"
    )
    assert [row["tgname"] for row in triggers] == ["journal_kept"]


async def test_killed_connection_fails_entries_and_the_journal_recovers_by_itself(
    journal, database
):
    async with database.transaction():
        await database.execute("LOCK TABLE journal IN ACCESS EXCLUSIVE MODE")
        under_way = journal.append(str(uuid7()), "requested", AT, record())
        await asyncio.sleep(0.05)
        await kill_writer(database)
        with pytest.raises(JournalUnavailable):
            await under_way
    await until(lambda: journal.is_up)
    message_id = uuid7()
    await journal.append(str(message_id), "requested", AT, record())
    assert await database.fetchval("SELECT 1 FROM journal WHERE message_id = $1", message_id)


async def test_no_entry_that_was_answered_is_lost_when_connections_are_killed(journal, database):
    kept, failed, over = set(), 0, asyncio.Event()

    async def write():
        nonlocal failed
        while not over.is_set():
            message_id = uuid7()
            try:
                await journal.append(str(message_id), "requested", AT, record())
                kept.add(message_id)
            except JournalUnavailable:
                failed += 1
                await asyncio.sleep(0.02)

    async def kill():
        for _ in range(3):
            await until(lambda: journal.is_up)
            await asyncio.sleep(0.05)
            await kill_writer(database)
        await until(lambda: failed)
        over.set()

    async with asyncio.TaskGroup() as group:
        for work in (kill(), *(write() for _ in range(20))):
            group.create_task(work)
    rows = await database.fetch("SELECT message_id FROM journal")
    assert kept
    assert failed
    assert kept <= {row["message_id"] for row in rows}


class Confused:
    """The driver's connection in the state a badly timed end of its server can leave it in."""

    def __init__(self, connection):
        self.connection = connection

    async def fetch(self, *_):
        raise asyncpg.InternalClientError("cannot switch to state 12")

    def terminate(self):
        self.connection.terminate()


async def test_confused_driver_fails_the_entry_and_the_journal_recovers_by_itself(
    journal, database
):
    journal._connection = Confused(journal._connection)
    async with asyncio.timeout(10):
        with pytest.raises(JournalUnavailable):
            await journal.append(str(uuid7()), "requested", AT, record())
    await until(lambda: journal.is_up)
    await journal.append(str(uuid7()), "requested", AT, record())
    assert await database.fetchval("SELECT count(*) FROM journal") == 1


async def test_entry_that_cannot_be_stored_is_told_so_and_the_next_one_lands(journal, database):
    with pytest.raises(JournalUnavailable):
        await journal.append(str(uuid7()), "nonsense", AT, record())
    await until(lambda: journal.is_up)
    await journal.append(str(uuid7()), "requested", AT, record())
    assert await database.fetchval("SELECT count(*) FROM journal") == 1


async def test_locked_journal_is_unavailable_and_not_waited_for(journal, database):
    async with database.transaction():
        await database.execute("LOCK TABLE journal IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(JournalUnavailable):
            await journal.append(str(uuid7()), "requested", AT, record())
    await until(lambda: journal.is_up)
    await journal.append(str(uuid7()), "requested", AT, record())


async def test_full_queue_refuses_at_once(journal, monkeypatch):
    monkeypatch.setattr("sebalai_gateway.journal.writer.QUEUE_ENTRIES", 2)

    async def write():
        await journal.append(str(uuid7()), "requested", AT, record())

    results = await asyncio.gather(*(write() for _ in range(5)), return_exceptions=True)
    assert [type(r) for r in results if r is not None] == [JournalUnavailable] * 3


async def test_journal_that_was_never_reached_is_unavailable():
    journal = Journal("postgresql://nobody@127.0.0.1:1/none")
    journal.start()
    with pytest.raises(JournalUnavailable):
        await journal.append(str(uuid7()), "requested", AT, record())
    assert not journal.is_up
    await journal.close()


async def test_entry_nobody_waits_for_any_more_is_not_written(journal, database):
    late, timely = uuid7(), uuid7()
    async with database.transaction():
        await database.execute("LOCK TABLE journal IN ACCESS EXCLUSIVE MODE")
        under_way = journal.append(str(uuid7()), "requested", AT, record())
        await asyncio.sleep(0.05)
        queued = journal.append(str(timely), "completed", AT, record())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await journal.append(str(late), "completed", AT, record())
    await under_way
    await queued
    found = {row["message_id"] for row in await database.fetch("SELECT message_id FROM journal")}
    assert timely in found
    assert late not in found


async def test_who_waits_too_long_is_let_go_and_all_others_are_not(journal, database, monkeypatch):
    monkeypatch.setattr(writer, "WAIT_SECONDS", 0.3)
    async with database.transaction():
        await database.execute("LOCK TABLE journal IN ACCESS EXCLUSIVE MODE")
        under_way = journal.append(str(uuid7()), "requested", AT, record())
        await asyncio.sleep(0.05)
        queued = journal.append(str(uuid7()), "requested", AT, record())
        for late in (under_way, queued):
            with pytest.raises(JournalUnavailable):
                await late
        timely = journal.append(str(uuid7()), "requested", AT, record())
    await timely
    assert journal.is_up


async def test_closing_leaves_nobody_waiting(journal_url, database):
    journal = Journal(journal_url)
    journal.start()
    await until(lambda: journal.is_up)
    async with database.transaction():
        await database.execute("LOCK TABLE journal IN ACCESS EXCLUSIVE MODE")
        under_way = journal.append(str(uuid7()), "requested", AT, record())
        await asyncio.sleep(0.1)
        queued = journal.append(str(uuid7()), "requested", AT, record())
        await asyncio.sleep(0)
        await journal.close()
        done, waiting = await asyncio.wait([under_way, queued], timeout=5)
    for task in waiting:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    assert not waiting
    assert {type(task.exception()) for task in done} == {JournalUnavailable}


async def test_entry_that_postgresql_rejects_fails_alone_and_its_batch_lands(journal, database):
    good = [uuid7() for _ in range(300)]
    bad = {50: ("nonsense", record()), 51: ("requested", b'{"v": "\\u0000"}'), 299: ("x", record())}
    work = [journal.append(str(i), "requested", AT, record()) for i in good]
    for at, (phase, text) in bad.items():
        work.insert(at, journal.append(str(uuid7()), phase, AT, text))
    found = await asyncio.gather(*work, return_exceptions=True)
    assert [at for at, what in enumerate(found) if what is not None] == sorted(bad)
    assert {type(found[at]) for at in bad} == {JournalUnavailable}
    rows = await database.fetch("SELECT message_id FROM journal")
    assert {row["message_id"] for row in rows} == set(good)
    assert journal.is_up


@given(st.lists(st.integers(0, 50_000 * 86_400_000), min_size=1, max_size=5))
def test_entries_of_any_order_go_into_the_day_of_their_message(moments):
    days = writer._Day()
    edges = [at - at % 86_400_000 + step for at in moments for step in (-1, 0, 86_399_999)]
    for at in moments + [edge for edge in edges if edge >= 0]:
        message_id = str(UUID(int=at << 80 | 7 << 76 | 2 << 62))
        assert days.of(message_id) == to_text(FIRST + timedelta(milliseconds=at))[:10]


async def test_no_entry_is_taken_before_the_gateway_is_ready(journal_url, database):
    """Neither at the start nor when the database is back: rights may have ended meanwhile."""
    asked, may_go = [], asyncio.Event()

    async def ready():
        asked.append(1)
        await may_go.wait()

    journal = Journal(journal_url, ready)
    journal.start()
    try:
        for times in (1, 2):
            await until(lambda: len(asked) == times)
            assert not journal.is_up
            with pytest.raises(JournalUnavailable):
                await journal.append(str(uuid7()), "requested", AT, record())
            may_go.set()
            await until(lambda: journal.is_up)
            await journal.append(str(uuid7()), "requested", AT, record())
            may_go.clear()
            await kill_writer(database)
            await until(lambda: not journal.is_up)
    finally:
        await journal.close()


async def test_connection_lost_while_the_gateway_makes_ready_is_made_anew(journal_url, database):
    asked = []

    async def ready():
        asked.append(1)
        if len(asked) == 1:
            await kill_writer(database)
            await asyncio.sleep(0.2)

    journal = Journal(journal_url, ready)
    journal.start()
    try:
        await until(lambda: journal.is_up)
        await journal.append(str(uuid7()), "requested", AT, record())
        assert len(asked) == 2
    finally:
        await journal.close()


async def test_who_closes_while_it_makes_ready_leaves_no_connection(journal_url, database):
    count = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    before = await database.fetchval(count)
    asked = []

    async def ready():
        asked.append(1)
        await asyncio.Event().wait()

    journal = Journal(journal_url, ready)
    journal.start()
    await until(lambda: asked)
    await journal.close()
    async with asyncio.timeout(10):
        while await database.fetchval(count) > before:
            await asyncio.sleep(0.02)
