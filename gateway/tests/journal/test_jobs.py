"""Timed work on the journal: calls without an outcome are closed, days are made and dropped."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import orjson
import pytest
import sebalai_gateway
from sebalai_gateway.journal.jobs import (
    DAYS_AHEAD,
    DAYS_KEPT,
    LOOK_AGAIN,
    RECONCILE_AFTER,
    Reconciler,
    _time_of,
    keep_partitions,
    reconcile,
)
from sebalai_shared.ids import uuid7
from sebalai_shared.migrations import migrate

DAY = timedelta(days=1)
TODAY = date(2030, 6, 15)


async def add(database, phase="requested", *, message_id=None, day=None, ago=timedelta(), **fields):
    now = datetime.now(UTC)
    if message_id is None:
        # As if it had been made then: message ids are ordered by time.
        shift = int(ago.total_seconds() * 1000) << 80
        message_id = UUID(int=uuid7().int - shift)
    await database.execute(
        "INSERT INTO journal (day, message_id, phase, at, record) VALUES ($1, $2, $3, $4, $5)",
        day or _day_of(message_id),
        message_id,
        phase,
        now - ago,
        orjson.dumps({"message_id": str(message_id)} | fields).decode(),
    )
    return message_id


def _day_of(message_id):
    return datetime.fromtimestamp((message_id.int >> 80) / 1000, UTC).date()


async def outcomes(database):
    rows = await database.fetch(
        "SELECT message_id, record::text AS record FROM journal WHERE phase = 'completed'"
    )
    return {row["message_id"]: orjson.loads(row["record"]) for row in rows}


async def partitions(database):
    rows = await database.fetch(
        "SELECT inhrelid::regclass::text AS name FROM pg_inherits "
        "WHERE inhparent = 'journal'::regclass ORDER BY 1"
    )
    return [row["name"] for row in rows]


async def test_old_call_without_outcome_is_closed_as_unknown_once(journal_url, database):
    old = await add(database, ago=timedelta(seconds=91), outcome="requested", purpose="p")
    assert await reconcile(journal_url) == 1
    assert await reconcile(journal_url) == 0
    closed = (await outcomes(database))[old]
    assert (closed["outcome"], closed["problem"]) == ("unknown", "outcome-unknown")
    assert closed["purpose"] == "p"
    assert datetime.fromisoformat(closed["completed_at"]).tzinfo is not None
    assert closed["completed_at"].endswith("Z")


async def test_young_call_is_left_alone(journal_url, database):
    await add(database, ago=timedelta(seconds=80))
    assert await reconcile(journal_url) == 0
    assert await outcomes(database) == {}


async def test_call_with_an_outcome_keeps_it(journal_url, database):
    done = await add(database, ago=timedelta(hours=1))
    await add(database, "completed", message_id=done, outcome="answered")
    refused = await add(database, "completed", ago=timedelta(hours=1), outcome="refused")
    assert await reconcile(journal_url) == 0
    found = await outcomes(database)
    assert found[done]["outcome"] == "answered"
    assert found[refused]["outcome"] == "refused"


async def test_call_of_yesterday_is_closed_in_its_own_day(journal_url, database):
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    await add(database, ago=timedelta(days=1))
    assert await reconcile(journal_url) == 1
    assert await database.fetchval("SELECT day FROM journal WHERE phase = 'completed'") == yesterday


async def test_many_calls_are_closed_in_bounded_passes(journal_url, database, monkeypatch):
    monkeypatch.setattr("sebalai_gateway.journal.jobs.RECONCILE_ROWS", 3)
    for _ in range(7):
        await add(database, ago=timedelta(minutes=5))
    assert [await reconcile(journal_url) for _ in range(4)] == [3, 3, 1, 0]


async def test_call_that_may_last_longer_is_closed_only_after_its_deadline(journal_url, database):
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    past = (datetime.now(UTC) - timedelta(seconds=100)).isoformat()
    await add(database, ago=timedelta(hours=2), deadline=soon)
    over = await add(database, ago=timedelta(hours=2), deadline=past)
    assert await reconcile(journal_url) == 1
    closed = await outcomes(database)
    assert set(closed) == {over}
    assert "deadline" not in closed[over]


async def test_later_passes_read_from_the_oldest_open_call_on(journal_url, database):
    pass_ = Reconciler(journal_url)
    waiting = await add(
        database, ago=timedelta(hours=2), deadline=(datetime.now(UTC) + DAY).isoformat()
    )
    assert await pass_() == 0
    assert abs(pass_._open_since - _time_of(waiting)) < timedelta(milliseconds=2)
    await add(database, "completed", message_id=waiting, outcome="answered")
    fresh = await add(database, ago=timedelta(seconds=95))
    assert await pass_() == 1
    assert set(await outcomes(database)) == {waiting, fresh}
    behind = datetime.now(UTC) - pass_._open_since
    assert RECONCILE_AFTER <= behind <= RECONCILE_AFTER + LOOK_AGAIN + timedelta(seconds=60)


async def test_pass_over_a_busy_day_reads_the_index_not_the_day(journal_url, database):
    await keep_partitions(journal_url)
    rows = await database.fetch(
        "EXPLAIN SELECT 1 FROM journal WHERE phase = 'requested' AND day = current_date "
        "AND message_id BETWEEN $1 AND $2",
        *sorted([uuid7(), uuid7()]),
    )
    plan = "\n".join(row[0] for row in rows)
    assert "Seq Scan" not in plan
    assert "message_id >=" in plan


async def test_days_are_made_ahead_and_making_them_again_changes_nothing(journal_url, database):
    await keep_partitions(journal_url, TODAY)
    expected = [f"journal_{TODAY + timedelta(days=n):%Y%m%d}" for n in range(DAYS_AHEAD + 1)]
    assert await partitions(database) == [*expected, "journal_default"]
    await keep_partitions(journal_url, TODAY)
    assert await partitions(database) == [*expected, "journal_default"]


async def test_entries_go_into_their_day_and_are_append_only_there(journal_url, database):
    await keep_partitions(journal_url, TODAY)
    await add(database, day=TODAY)
    name = await database.fetchval("SELECT tableoid::regclass::text FROM journal")
    assert name == f"journal_{TODAY:%Y%m%d}"


async def test_day_that_began_in_the_default_partition_stays_there(journal_url, database):
    await add(database, day=TODAY)
    await keep_partitions(journal_url, TODAY)
    assert await database.fetchval("SELECT count(*) FROM journal") == 1
    tomorrow = f"journal_{TODAY + timedelta(days=1):%Y%m%d}"
    assert tomorrow in await partitions(database)
    await add(database, day=TODAY)


async def old_day(journal_url, database, *phases):
    """A day that is over long since, with these entries; answers its partition's name."""
    day = TODAY - timedelta(days=DAYS_KEPT + 5)
    await keep_partitions(journal_url, day)
    for phase in phases:
        await add(database, phase, day=day)
    return f"journal_{day:%Y%m%d}"


async def passed(database):
    """The relay's cursor after everything there is."""
    await database.execute(
        "INSERT INTO relay_cursor (name, xid, seq) "
        "SELECT 'journal', max(xid), max(seq) FROM journal"
    )


async def test_relayed_old_day_is_dropped(journal_url, database):
    name = await old_day(journal_url, database, "requested", "completed")
    await passed(database)
    await keep_partitions(journal_url, TODAY)
    assert name not in await partitions(database)


async def test_old_day_that_is_not_relayed_is_kept(journal_url, database):
    name = await old_day(journal_url, database, "completed")
    await passed(database)
    await add(database, "completed", day=TODAY - timedelta(days=DAYS_KEPT + 5))
    await keep_partitions(journal_url, TODAY)
    assert name in await partitions(database)


async def test_old_day_is_kept_while_no_relay_has_ever_run(journal_url, database):
    name = await old_day(journal_url, database, "completed")
    await keep_partitions(journal_url, TODAY)
    assert name in await partitions(database)
    assert await database.fetchval("SELECT count(*) FROM journal") == 1


async def test_calls_do_not_wait_behind_a_partition_that_cannot_be_made(journal_url, database):
    async with asyncio.timeout(20), database.transaction():
        await database.execute("LOCK TABLE journal IN ACCESS SHARE MODE")
        await keep_partitions(journal_url, TODAY)
    assert await partitions(database) == ["journal_default"]
    await keep_partitions(journal_url, TODAY)
    assert len(await partitions(database)) == DAYS_AHEAD + 2


async def seen_waiting(database):
    """Until somebody waits for a lock in this database."""
    async with asyncio.timeout(20):
        while not await database.fetchval(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND database = "
            "(SELECT oid FROM pg_database WHERE datname = current_database())"
        ):
            await asyncio.sleep(0.02)


async def test_calls_pass_a_day_that_waits_for_a_long_reader_to_be_made(
    journal_url, database, monkeypatch
):
    # A job that waited for all of the journal let every call wait behind it.
    monkeypatch.setattr("sebalai_gateway.journal.jobs.LOCK_WAIT", "60s")
    await keep_partitions(journal_url, TODAY)
    reader = await asyncpg.connect(journal_url)
    async with reader.transaction():
        await reader.fetch("SELECT count(*) FROM journal")
        job = asyncio.create_task(keep_partitions(journal_url, TODAY + DAY))
        await seen_waiting(database)
        await database.execute("SET lock_timeout = '1s'")
        await add(database, day=TODAY)
        assert not job.done()
    await job
    await reader.close()
    assert f"journal_{TODAY + DAY * (DAYS_AHEAD + 1):%Y%m%d}" in await partitions(database)


async def test_two_jobs_at_once_make_each_day_once(journal_url, database):
    # The upgrade's migration and the worker that still runs.
    await asyncio.gather(*(keep_partitions(journal_url, TODAY) for _ in range(4)))
    await keep_partitions(journal_url, TODAY)
    assert len(await partitions(database)) == DAYS_AHEAD + 2


async def test_day_made_apart_keeps_what_the_journal_promises(journal_url, database):
    await keep_partitions(journal_url, TODAY)
    ident = await add(database, "completed", day=TODAY)
    with pytest.raises(asyncpg.UniqueViolationError):
        await add(database, "completed", message_id=ident, day=TODAY)
    with pytest.raises(asyncpg.CheckViolationError):
        await add(database, "nonsense", day=TODAY)
    indexes = await database.fetch(
        "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = $1::text::regclass",
        f"journal_{TODAY:%Y%m%d}",
    )
    assert len(indexes) == 2


@pytest.mark.parametrize(("age", "is_kept"), [(DAYS_KEPT, True), (DAYS_KEPT + 1, False)])
async def test_day_is_kept_as_long_as_promised(journal_url, database, age, is_kept):
    day = TODAY - timedelta(days=age)
    await keep_partitions(journal_url, day)
    await add(database, "completed", day=day)
    await passed(database)
    await keep_partitions(journal_url, TODAY)
    assert (f"journal_{day:%Y%m%d}" in await partitions(database)) is is_kept


async def test_migration_that_takes_the_bell_away_lets_calls_pass_while_it_waits(
    journal_url, database
):
    await database.execute(
        "CREATE FUNCTION ring_journal() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_notify('journal', ''); RETURN NULL; END $$"
    )
    await database.execute(
        "CREATE TRIGGER journal_bell AFTER INSERT ON journal "
        "FOR EACH STATEMENT EXECUTE FUNCTION ring_journal()"
    )
    await database.execute("UPDATE alembic_version SET version_num = '0003'")
    reader = await asyncpg.connect(journal_url)
    async with reader.transaction():
        await reader.fetch("SELECT count(*) FROM journal")
        dsn = journal_url.replace("postgresql://", "postgresql+asyncpg://", 1)
        upgrade = asyncio.create_task(migrate(dsn, Path(sebalai_gateway.__file__).parent))
        await seen_waiting(database)
        await database.execute("SET lock_timeout = '1s'")
        await add(database)
        assert not upgrade.done()
    await upgrade
    await reader.close()
    assert not await database.fetchval("SELECT 1 FROM pg_trigger WHERE tgname = 'journal_bell'")
