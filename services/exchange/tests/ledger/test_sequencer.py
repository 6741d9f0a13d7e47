"""Dense indices and one root for one size, whatever is killed and whoever competes."""

import asyncio
import base64
import contextlib
import json
import random

import asyncpg
import pytest
from sebalai_exchange.ledger import merkle, store
from sebalai_exchange.ledger.actions import take_entries
from sebalai_exchange.ledger.entry import entry_of_call, entry_of_event
from sebalai_exchange.ledger.jobs import forget_checkpoints
from sebalai_exchange.ledger.note import Signer
from sebalai_exchange.ledger.sequencer import LeadLostError, LogKey, Sequencer, advance, pass_once
from sebalai_shared.clock import SystemClock
from sebalai_shared.ids import uuid7
from sebalai_verifier.checkpoint import open_checkpoint
from sebalai_verifier.keys import parse_key
from sqlalchemy import text

SIGNER = Signer("bus.example/ledger", b"k" * 32)
KEY = LogKey(SIGNER, SystemClock())
LOG = "exchanges/2026"


def entries(count, year=2026):
    return [
        entry_of_call(
            {
                "message_id": str(uuid7()),
                "completed_at": f"{year}-11-24T08:00:00.000Z",
                "salt": base64.urlsafe_b64encode(random.randbytes(32)).decode().rstrip("="),
            }
        )
        for _ in range(count)
    ]


@pytest.fixture(autouse=True)
async def empty(committed):
    async with committed.transaction() as session:
        tables = "ledger_entry, ledger_tile, ledger_checkpoint, ledger_log"
        await session.execute(text(f"TRUNCATE {tables}"))
        await session.execute(text("INSERT INTO ledger_log (name) VALUES ('records')"))
    yield
    async with committed.transaction() as session:
        await session.execute(text(f"TRUNCATE {tables}"))
        await session.execute(text("INSERT INTO ledger_log (name) VALUES ('records')"))


@pytest.fixture
async def connection(settings):
    connection = await asyncpg.connect(settings.database_dsn())
    yield connection
    await connection.close()


async def add(committed, made):
    async with committed.transaction() as session:
        await store.add_entries(session, made)


async def audit(connection, name=LOG):
    """Checks the whole log from its leaves up; answers its size."""
    rows = await connection.fetch(
        "SELECT idx, leaf FROM ledger_entry WHERE log = $1 AND idx IS NOT NULL ORDER BY idx", name
    )
    assert [row["idx"] for row in rows] == list(range(len(rows)))
    tiles = merkle.grow({}, 0, [merkle.leaf_hash(row["leaf"].encode()) for row in rows])
    stored = await connection.fetch(
        "SELECT level, number, hashes FROM ledger_tile WHERE log = $1", name
    )
    assert {(row["level"], row["number"]): row["hashes"] for row in stored} == tiles
    keys = [parse_key(SIGNER.verifier_text())]
    notes = await connection.fetch(
        "SELECT size, note FROM ledger_checkpoint WHERE log = $1 ORDER BY size", name
    )
    for row in notes:
        opened = open_checkpoint(row["note"], keys)
        assert (opened.origin, opened.size) == (f"bus.example/ledger/{name}", row["size"])
        assert opened.root == merkle.root(tiles, row["size"])
    log = await connection.fetchrow("SELECT * FROM ledger_log WHERE name = $1", name)
    assert log["size"] == len(rows)
    if rows:
        assert notes[-1]["note"] == log["checkpoint"]
        assert parse_key(log["verifier_key"]).covers(f"bus.example/ledger/{name}")
    return len(rows)


async def test_waiting_entries_get_dense_indices_and_a_signed_checkpoint(committed, connection):
    for count in (1, 2, 300):
        await add(committed, entries(count))
        assert not await pass_once(connection, KEY)
    assert await audit(connection) == 303


async def test_a_full_pass_says_that_more_waits(committed, connection):
    await add(committed, entries(1030))
    assert await pass_once(connection, KEY)
    assert not await pass_once(connection, KEY)
    assert await audit(connection) == 1030


async def test_each_log_grows_by_itself(committed, connection):
    event = {"id": str(uuid7()), "time": "2026-11-24T08:00:00Z", "data": {}}
    await add(committed, [*entries(2), *entries(3, 2027), entry_of_event(event)])
    await pass_once(connection, KEY)
    sizes = [await audit(connection, name) for name in (LOG, "exchanges/2027", "records")]
    assert sizes == [2, 3, 1]


async def test_an_entry_delivered_twice_stands_once_with_its_first_salt(committed, connection):
    event = {"id": str(uuid7()), "time": "2026-11-24T08:00:00Z", "data": {}}
    first = entry_of_event(event)
    await add(committed, [first])
    await pass_once(connection, KEY)
    await add(committed, [entry_of_event(event)])
    await pass_once(connection, KEY)
    assert await audit(connection, "records") == 1
    assert await connection.fetchval("SELECT salt FROM ledger_entry") == first.salt


async def test_an_entry_with_a_low_id_that_commits_late_is_not_lost(committed, connection):
    late, *early = entries(3)
    await add(committed, early)
    await pass_once(connection, KEY)
    await add(committed, [late])
    await pass_once(connection, KEY)
    assert await audit(connection) == 3
    assert await connection.fetchval("SELECT idx FROM ledger_entry WHERE id = $1", late.id) == 2


async def test_nothing_waiting_signs_nothing(committed, connection):
    async with committed.transaction() as session:
        await take_entries(session, entries=[])
    assert await advance(connection, "records", KEY) == 0
    assert await connection.fetchval("SELECT count(*) FROM ledger_checkpoint") == 0


class Killed(Exception):
    pass


class Dying:
    """A connection that dies before its n-th statement, as a killed process would."""

    def __init__(self, connection, statements):
        self._connection, self._left = connection, statements

    def transaction(self):
        return self._connection.transaction()

    def __getattr__(self, name):
        call = getattr(self._connection, name)

        async def counted(*args):
            if self._left == 0:
                raise Killed
            self._left -= 1
            return await call(*args)

        return counted


async def test_sequencer_killed_before_any_statement_leaves_the_log_whole(committed, connection):
    await add(committed, entries(5))
    await pass_once(connection, KEY)
    survived = 0
    for statements in range(20):
        await add(committed, entries(3))
        try:
            await advance(Dying(connection, statements), LOG, KEY)
        except Killed:
            assert await audit(connection) == 5
        else:
            survived = statements
            break
    assert survived == 7
    assert await audit(connection) == 5 + 3 * 8


async def test_connection_cut_in_the_middle_rolls_back(settings, committed, connection):
    await add(committed, entries(4))
    other = await asyncpg.connect(settings.database_dsn())
    transaction = other.transaction()
    await transaction.start()
    assert await advance(other, LOG, KEY) == 4
    assert await audit(connection) == 0
    other.terminate()
    while await connection.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' "
        "AND datname = current_database()"
    ):
        await asyncio.sleep(0.01)
    await pass_once(connection, KEY)
    assert await audit(connection) == 4


async def test_competing_passes_make_one_log(settings, committed, connection):
    connections = [await asyncpg.connect(settings.database_dsn()) for _ in range(4)]

    async def compete(own):
        for _ in range(15):
            await add(committed, entries(random.randint(1, 5)))
            await advance(own, LOG, KEY)

    await asyncio.gather(*(compete(own) for own in connections))
    await pass_once(connection, KEY)
    total = await connection.fetchval("SELECT count(*) FROM ledger_entry")
    assert await audit(connection) == total
    for own in connections:
        await own.close()


@contextlib.asynccontextmanager
async def running(*sequencers):
    tasks = [asyncio.create_task(one.run()) for one in sequencers]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until(condition):
    async with asyncio.timeout(20):
        while not await condition():
            await asyncio.sleep(0.02)


async def test_running_sequencer_takes_what_comes_and_a_second_takes_over(
    settings, committed, connection
):
    beats = []
    first, second = (
        Sequencer(settings.database_dsn(), KEY, lambda: beats.append(1)) for _ in range(2)
    )

    async def is_done():
        waiting = "SELECT count(*) FROM ledger_entry WHERE idx IS NULL"
        return await connection.fetchval(waiting) == 0

    async with running(first, second) as tasks:
        for count in (1, 1100, 7):
            await add(committed, entries(count))
            await until(is_done)
        leader = await connection.fetchval(
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        await add(committed, entries(9))
        assert await connection.fetchval("SELECT pg_terminate_backend($1)", leader)
        await add(committed, entries(9))
        await until(is_done)
        ended, (other,) = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        with pytest.raises(LeadLostError):
            ended.pop().result()
        assert not other.done()
    assert await audit(connection) == 1126
    assert beats


async def test_sequencer_without_a_database_ends_and_says_so(settings):
    dsn = settings.database_dsn().replace("exchange_tests", "exchange_absent")
    with pytest.raises(LeadLostError, match="cannot be reached"):
        await Sequencer(dsn, KEY).run()


async def test_database_refuses_a_second_root_for_one_size(committed, connection):
    await add(committed, entries(2))
    await pass_once(connection, KEY)
    with pytest.raises(asyncpg.UniqueViolationError):
        await connection.execute(
            "INSERT INTO ledger_checkpoint VALUES ($1, 2, 'other', now())", LOG
        )
    with pytest.raises(asyncpg.UniqueViolationError):
        await connection.execute("UPDATE ledger_entry SET idx = 0 WHERE idx = 1")


async def test_old_checkpoints_are_forgotten_but_never_the_latest(committed, connection):
    for _ in range(3):
        await add(committed, entries(1))
        await pass_once(connection, KEY)
    await connection.execute("UPDATE ledger_checkpoint SET signed_at = now() - interval '91 days'")
    async with committed.transaction() as session:
        await forget_checkpoints(session)
    sizes = await connection.fetch("SELECT size FROM ledger_checkpoint")
    assert [row["size"] for row in sizes] == [3]


async def test_destroyed_salt_leaves_every_proof_standing(committed, connection):
    await add(committed, entries(3))
    await pass_once(connection, KEY)
    await connection.execute("UPDATE ledger_entry SET salt = decode(repeat('00', 32), 'hex')")
    assert await audit(connection) == 3
    leaf = json.loads(await connection.fetchval("SELECT leaf FROM ledger_entry WHERE idx = 1"))
    assert set(leaf) == {"v", "kind", "time", "id", "commitment"}
