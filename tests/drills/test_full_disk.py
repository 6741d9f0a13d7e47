"""The broker's disk is full: the relay waits, and once there is room and the broker is started again,
all goes on in order. A tmpfs of 3 MB is the disk, so this needs root. Counts are printed.
"""

import asyncio
import json
import os
import subprocess

import asyncpg
import nats
import pytest
from sebalai_local.engines import free_ports
from sebalai_local.engines.nats import Nats
from sebalai_local.launching import launch
from sebalai_shared.broker import EVENTS, Broker
from sebalai_shared.ids import uuid7
from sebalai_shared.outbox import DDL_V1, OutboxSource
from sebalai_shared.relay import Relay
from sebalai_shared.settings import MemberSettings

pytestmark = [
    pytest.mark.drill,
    pytest.mark.timeout(600),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk"),
]

FACTS, BATCH = 12_000, 500
FILL = "INSERT INTO outbox (id, type, document) VALUES ($1, 'a.b.c.v1', $2::jsonb)"
LEFT = (
    "SELECT count(*) FROM outbox WHERE (xid, seq) > "
    "(SELECT xid, seq FROM relay_cursor WHERE name = 'outbox')"
)
TOKEN = "tok"


@pytest.fixture(autouse=True)
def well():
    """No platform takes part."""


@pytest.fixture
def disk(tmp_path):
    folder = tmp_path / "nats"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


async def started(server, log):
    process = launch(server.prepare(), log)
    while not server.is_ready():
        await asyncio.sleep(0.05)
    return process


async def ended(process):
    process.kill()
    await asyncio.to_thread(process.wait)


async def until_still(connection):
    """How many are left to relay once that number has not changed for ten seconds."""
    left, same = -1, 0
    while same < 10:
        await asyncio.sleep(1)
        now = await connection.fetchval(LEFT)
        left, same = now, same + 1 if now == left else 0
    return left


async def stream_ids(server):
    client = await nats.connect(server.url, token=TOKEN)
    manager = client.jetstream()
    count = (await manager.stream_info("EVENTS")).state.messages
    heard = await manager.subscribe("sebalai.>", ordered_consumer=True)
    ids = [(await heard.next_msg(timeout=20)).headers["Nats-Msg-Id"] for _ in range(count)]
    await heard.unsubscribe()
    await client.close()
    return ids


async def test_nothing_is_lost_while_the_brokers_disk_is_full(
    disk, tmp_path, database_url_for, postgres_admin_url
):
    dsn = await database_url_for("full_disk")
    _, port, monitor_port = free_ports()
    server = Nats(tmp_path, port, monitor_port, TOKEN, True)
    process = await started(server, tmp_path / "nats.log")
    connection = await asyncpg.connect(dsn)
    for statement in DDL_V1:
        await connection.execute(statement)
    broker = Broker(MemberSettings(nats_url=server.url, nats_token=TOKEN))
    await broker.connect()
    await broker.ensure_stream(EVENTS, is_owner=True)
    relaying = asyncio.create_task(Relay(dsn, broker, OutboxSource()).run())
    sent = [str(uuid7()) for _ in range(FACTS)]
    padding = "x" * 300
    for first in range(0, FACTS, BATCH):
        rows = [(i, json.dumps({"id": i, "more": padding})) for i in sent[first : first + BATCH]]
        await connection.executemany(FILL, rows)
    left = await until_still(connection)
    was_well = server.is_ready()
    subprocess.run(["mount", "-o", "remount,size=300m", disk], check=True)
    await ended(process)
    process = await started(server, tmp_path / "nats.log")
    while await connection.fetchval(LEFT):
        await asyncio.sleep(0.2)
    got = await stream_ids(server)
    relaying.cancel()
    await asyncio.gather(relaying, return_exceptions=True)
    await connection.close()
    await broker.close()
    await ended(process)
    print(
        f"\ndrill broker's full disk: {FACTS} facts, {FACTS - left} relayed until it was full, "
        f"{len(set(sent) - set(got))} lost, {len(got) - len(set(got))} twice, "
        f"{'in' if list(dict.fromkeys(got)) == sent else 'out of'} order"
    )
    assert 0 < left < FACTS
    assert not was_well
    assert got == sent
