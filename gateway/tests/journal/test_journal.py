"""The journal with a real PostgreSQL and NATS: group commit, append-only, relayed, reconciled."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import orjson
import pytest
import sebalai_gateway
from sebalai_gateway.journal import jobs
from sebalai_gateway.journal.source import ROWS_A_MESSAGE, JournalSource
from sebalai_gateway.journal.writer import AlreadyCompleted, Journal, JournalUnavailable
from sebalai_shared.broker import Broker
from sebalai_shared.clock import to_text
from sebalai_shared.ids import uuid7
from sebalai_shared.relay import Relay
from sebalai_shared.settings import MemberSettings
from sebalai_shared.testing.database import fresh_database

PACKAGE = Path(sebalai_gateway.__file__).parent


@pytest.fixture(scope="module")
async def dsn(postgres_admin_url):
    dsn = await fresh_database(postgres_admin_url, "journal_tests", PACKAGE)
    await jobs.keep_partitions(dsn)
    return dsn


@pytest.fixture
async def sql(dsn):
    connection = await asyncpg.connect(dsn)
    yield connection
    await connection.close()


@pytest.fixture
async def journal(dsn):
    journal = Journal(dsn)
    journal.start()
    await until(lambda: journal.is_up)
    yield journal
    await journal.close()


async def until(condition, seconds=20):
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


def now():
    return datetime.now(UTC)


async def write(journal, phase="completed", message_id=None, at=None, **record):
    if message_id is None:
        # As if it had been made then: message ids are ordered by time.
        ago = now() - (at or now())
        message_id = UUID(int=uuid7().int - (int(ago.total_seconds() * 1000) << 80))
    body = orjson.dumps({"message_id": str(message_id)} | record)
    await journal.append(str(message_id), phase, to_text(at or now()), body)
    return message_id


async def test_entries_queued_together_are_committed_together(journal, sql):
    ids = await asyncio.gather(*(write(journal) for _ in range(300)))
    rows = await sql.fetch("SELECT xid::text FROM journal WHERE message_id = ANY($1)", ids)
    assert len(rows) == 300
    assert len({row["xid"] for row in rows}) < 20


async def test_nobody_rewrites_an_entry(journal, sql):
    message_id = await write(journal)
    for statement in ("UPDATE journal SET record = '{}'", "DELETE FROM journal"):
        with pytest.raises(asyncpg.RaiseError, match="append-only"):
            await sql.execute(f"{statement} WHERE message_id = $1", message_id)


async def test_a_call_is_completed_once(journal):
    message_id = await write(journal, "requested")
    await write(journal, message_id=message_id)
    with pytest.raises(AlreadyCompleted):
        await write(journal, message_id=message_id)


async def test_a_database_that_is_gone_fails_entries_and_recovers_by_itself(
    journal, postgres_admin_url
):
    admin = await asyncpg.connect(postgres_admin_url)
    try:
        await admin.execute("ALTER DATABASE journal_tests ALLOW_CONNECTIONS false")
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'journal_tests'"
        )
        await until(lambda: not journal.is_up)
        with pytest.raises(JournalUnavailable):
            await write(journal)
    finally:
        await admin.execute("ALTER DATABASE journal_tests ALLOW_CONNECTIONS true")
        await admin.close()
    await until(lambda: journal.is_up)
    await write(journal)


class Proxy:
    """Stands before PostgreSQL; told to, it answers the next bytes with `nonsense`, or not at all."""

    def __init__(self, port):
        self._port, self.nonsense, self.is_mute, self.tasks = port, None, False, []

    async def serve(self, reader, writer):
        self.tasks.append(asyncio.current_task())
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._port)
        pumps = (self._pump(reader, up_writer, None), self._pump(up_reader, writer, self))
        try:
            await asyncio.gather(*pumps, return_exceptions=True)
        finally:
            for end in (writer, up_writer):
                end.transport.abort()
            await asyncio.sleep(0)

    async def end(self):
        for task in self.tasks:
            task.cancel()
        await asyncio.wait(self.tasks)

    @staticmethod
    async def _pump(source, sink, told):
        while data := await source.read(65536):
            if told and told.nonsense is not None:
                data, told.nonsense = told.nonsense, None
                sink.write(data)
                await sink.drain()
                sink.close()
                return
            if not (told and told.is_mute):
                sink.write(data)
                await sink.drain()


@pytest.fixture
async def proxied(dsn):
    """A journal that reaches its database through a proxy."""
    where = urlsplit(dsn)
    proxy = Proxy(where.port)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    journal = Journal(dsn.replace(f":{where.port}/", f":{port}/"))
    journal.start()
    await until(lambda: journal.is_up)
    yield journal, proxy
    await journal.close()
    server.close()
    await proxy.end()


@pytest.mark.parametrize("nonsense", [b"", b"C\x00\x00\x00\x05x"])
async def test_a_database_that_dies_in_mid_answer_stops_no_later_entry(proxied, nonsense):
    # Its writer once ended with the driver's own error, and every later call waited for ever.
    journal, proxy = proxied
    proxy.nonsense = nonsense
    with pytest.raises(JournalUnavailable):
        async with asyncio.timeout(15):
            await write(journal)
    await until(lambda: journal.is_up)
    async with asyncio.timeout(15):
        await write(journal)


async def test_a_database_that_falls_silent_is_given_up_and_the_log_says_why(proxied, caplog):
    journal, proxy = proxied
    proxy.is_mute = True
    with pytest.raises(JournalUnavailable):
        async with asyncio.timeout(15):
            await write(journal)
    proxy.is_mute = False
    await until(lambda: journal.is_up)
    assert "journal is down: TimeoutError;" in caplog.text
    async with asyncio.timeout(15):
        await write(journal)


async def test_without_a_database_entries_fail_at_once():
    journal = Journal("postgresql://nobody@127.0.0.1:1/none")
    journal.start()
    await asyncio.sleep(0.05)
    with pytest.raises(JournalUnavailable):
        await write(journal)
    await journal.close()


async def test_a_call_without_an_outcome_is_closed_as_unknown_once(journal, sql, dsn):
    old = now() - timedelta(minutes=5)
    lost = await write(journal, "requested", at=old, outcome="requested", method="GET")
    answered = await write(journal, "requested", at=old)
    await write(journal, message_id=answered)
    young = await write(journal, "requested")
    assert await jobs.reconcile(dsn) == 1
    assert await jobs.reconcile(dsn) == 0
    record = orjson.loads(
        await sql.fetchval(
            "SELECT record::text FROM journal WHERE message_id = $1 AND phase = 'completed'", lost
        )
    )
    assert (record["outcome"], record["problem"], record["method"]) == (
        "unknown", "outcome-unknown", "GET",
    )  # fmt: skip
    assert record["completed_at"].endswith("Z")
    with pytest.raises(AlreadyCompleted):
        await write(journal, message_id=lost)
    await write(journal, message_id=young)


async def test_partitions_are_made_ahead(sql, dsn):
    await jobs.keep_partitions(dsn)
    for ahead in range(jobs.DAYS_AHEAD + 1):
        day = now().date() + timedelta(days=ahead)
        assert await sql.fetchval("SELECT to_regclass($1)::text", f"journal_{day:%Y%m%d}")


async def test_every_completed_call_is_relayed_once_in_effect(
    journal, sql, dsn, nats_url, nats_token
):
    broker = Broker(MemberSettings(nats_url=nats_url, nats_token=nats_token))
    await broker.connect()
    stream = f"J{uuid7().hex[-8:]}"
    await broker.ensure_stream({"name": stream, "subjects": ["journal.>"]})
    try:
        ids = set(await asyncio.gather(*(write(journal) for _ in range(700))))
        for _ in range(2):  # a second relay starts from nothing: all of it again
            await sql.execute("DELETE FROM relay_cursor")
            task = asyncio.create_task(Relay(dsn, broker, JournalSource(stream)).run())
            got = await received(broker, stream, ids)
            task.cancel()
            await asyncio.wait({task})
        assert {str(i) for i in ids} <= {record["message_id"] for record in got}
    finally:
        await broker.api(f"STREAM.DELETE.{stream}")
        await broker.close()


async def received(broker, stream, ids):
    """The records in the stream once every id of `ids` is among them."""
    ids = {str(message_id) for message_id in ids}
    subscription = await broker.client.jetstream().subscribe("journal.>", ordered_consumer=True)
    got = []
    try:
        async with asyncio.timeout(20):
            while not ids <= {record["message_id"] for record in got}:
                message = await subscription.next_msg(timeout=10)
                records = orjson.loads(message.data)
                assert 0 < len(records) <= ROWS_A_MESSAGE
                got += records
    finally:
        await subscription.unsubscribe()
    return got
