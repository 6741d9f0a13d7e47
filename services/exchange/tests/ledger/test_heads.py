"""A database put back to an earlier state numbers nothing anew that was signed already."""

import asyncio
import base64
import contextlib

import asyncpg
import pytest
from sebalai_exchange.ledger import store
from sebalai_exchange.ledger.entry import entry_of_call
from sebalai_exchange.ledger.heads import Heads, LedgerBehindError
from sebalai_exchange.ledger.note import Signer
from sebalai_exchange.ledger.sequencer import LogKey, Sequencer, pass_once
from sebalai_shared.clock import SystemClock
from sebalai_shared.ids import uuid7
from sebalai_verifier.checkpoint import open_checkpoint
from sebalai_verifier.keys import parse_key

LOG = "exchanges/2026"
SIGNER = Signer("bus.example/ledger", b"k" * 32)
KEY = LogKey(SIGNER, SystemClock())
TABLES = ("ledger_log", "ledger_entry", "ledger_tile", "ledger_checkpoint")
EMPTY = {"ledger_log": [{"name": "records"}]}


def entries(count):
    salt = base64.urlsafe_b64encode(b"s" * 32).decode().rstrip("=")
    call = {"completed_at": "2026-11-24T08:00:00.000Z", "salt": salt}
    return [entry_of_call({"message_id": str(uuid7()), **call}) for _ in range(count)]


async def add(committed, made):
    async with committed.transaction() as session:
        await store.add_entries(session, made)


@pytest.fixture
async def connection(settings):
    connection = await asyncpg.connect(settings.database_dsn())
    await put_back(connection, EMPTY)
    yield connection
    await put_back(connection, EMPTY)
    await connection.close()


@pytest.fixture
def heads(tmp_path):
    return Heads(tmp_path / "heads", SIGNER.name)


async def saved(connection):
    return {name: await connection.fetch(f"TABLE {name}") for name in TABLES}


async def grown(committed, connection):
    """Three entries, of which a backup is taken and given back, and two more; all are signed."""
    await add(committed, entries(3))
    await pass_once(connection, KEY)
    backup = await saved(connection)
    await add(committed, entries(2))
    await pass_once(connection, KEY)
    return backup


async def put_back(connection, backup):
    """As a restore does: all tables as they were."""
    await connection.execute(f"TRUNCATE {', '.join(TABLES)}")
    for name, rows in backup.items():
        if rows:
            columns = list(rows[0].keys())
            records = [tuple(row.values()) for row in rows]
            await connection.copy_records_to_table(name, records=records, columns=columns)


async def test_the_last_checkpoint_stands_beside_the_database_for_anyone_to_check(
    committed, connection, heads, tmp_path
):  # fmt: skip
    for count in (1, 300):
        await add(committed, entries(count))
        await pass_once(connection, KEY)
        await heads.require(connection)
        await heads.keep(connection)
    (kept,) = (tmp_path / "heads").iterdir()
    opened = open_checkpoint(kept.read_text(), [parse_key(SIGNER.verifier_text())])
    assert (opened.origin, opened.size) == (f"{SIGNER.name}/{LOG}", 301)
    await heads.require(connection)


async def test_an_older_database_is_refused_until_it_holds_what_was_signed(
    committed, connection, heads
):  # fmt: skip
    backup = await grown(committed, connection)
    whole = await saved(connection)
    await heads.require(connection)
    await heads.keep(connection)
    await put_back(connection, backup)
    with pytest.raises(LedgerBehindError, match="holds 3 entries, but 5 were signed"):
        await heads.require(connection)
    await put_back(connection, EMPTY)
    with pytest.raises(LedgerBehindError, match="holds 0 entries, but 5 were signed"):
        await heads.require(connection)
    await put_back(connection, whole)
    await heads.require(connection)


async def test_a_log_that_grew_otherwise_after_a_restore_is_refused(
    committed, connection, heads
):  # fmt: skip
    backup = await grown(committed, connection)
    await heads.require(connection)
    await heads.keep(connection)
    await put_back(connection, backup)
    await add(committed, entries(600))
    await pass_once(connection, KEY)
    with pytest.raises(LedgerBehindError, match="another root at 5 entries"):
        await heads.require(connection)
    anew = Heads(heads._folder, "bus.example/ledger-2")  # the operator's way out of it
    await anew.require(connection)


async def test_entries_wait_unnumbered_before_an_older_database(
    committed, connection, settings, heads, caplog
):  # fmt: skip
    await add(committed, entries(2))
    await pass_once(connection, KEY)
    await heads.require(connection)
    await heads.keep(connection)
    await put_back(connection, EMPTY)
    await add(committed, entries(4))

    async def run(origin):
        key = LogKey(Signer(origin, SIGNER.seed), SystemClock())
        await Sequencer(settings.database_dsn(), key, heads=Heads(heads._folder, origin)).run()

    waiting = asyncio.create_task(run(SIGNER.name))
    async with asyncio.timeout(20):
        while "nothing is numbered" not in caplog.text:
            await asyncio.sleep(0.02)
    waiting.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await waiting
    assert await connection.fetchval("SELECT count(*) FROM ledger_entry WHERE idx >= 0") == 0
    going = asyncio.create_task(run("bus.example/ledger-2"))
    async with asyncio.timeout(20):
        while not await connection.fetchval("SELECT size FROM ledger_log WHERE name = $1", LOG):
            await asyncio.sleep(0.02)
    going.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await going
