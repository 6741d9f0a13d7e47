"""A broker with users that asks exchange about everybody else; subscribers of it."""

import asyncio
import contextlib
import signal
from datetime import timedelta
from types import SimpleNamespace

import nats
import orjson
import pytest
from pydantic import SecretStr
from sebalai_exchange.direct.running import direct_tasks
from sebalai_local.engines import free_ports
from sebalai_local.engines.databases import NAMES
from sebalai_local.engines.nats import Nats
from sebalai_local.launching import launch
from sebalai_shared.broker import EVENTS, Broker
from sebalai_shared.nkeys import AccountKey

from services.exchange.tests.deliveries.test_clocks import Skewed

TYPE, OTHER = "dp3acskb.birth.recorded.v1", "dp3acskb.death.recorded.v1"
INTERFACE = "ID-BB/GOV/dp3acskb/kependudukan/penduduk"
KEY = AccountKey(b"k" * 32)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("direct")
    leaf_port, port, monitor_port = free_ports()
    passwords = {name: f"1e{name}" for name in NAMES}
    broker = Nats(
        folder, port, monitor_port, passwords, False, issuer=KEY.public, leaf_port=leaf_port
    )
    process = launch(broker.prepare(), folder / "nats.log")
    while not broker.is_ready():
        assert process.poll() is None, (folder / "nats.log").read_text()
    yield SimpleNamespace(port=port, url=f"nats://127.0.0.1:{port}", leaf_port=leaf_port)
    process.send_signal(signal.SIGTERM)
    process.wait()


@pytest.fixture
def bus_settings(bus_settings, server, tmp_path):
    file = tmp_path / "issuer"
    file.write_text(KEY.seed)
    found = bus_settings.model_copy(
        update={
            "nats_url": f"nats://exchange@127.0.0.1:{server.port}",
            "nats_token": SecretStr("1eexchange"),
            "nats_issuer_key_file": file,
        }
    )
    object.__setattr__(found, "_asserter", bus_settings._asserter)
    return found


@pytest.fixture
def skew():
    """How far exchange's clock is ahead of the broker's."""
    return timedelta()


@pytest.fixture
async def stream(bus, skew):
    bus.app.state.clock = Skewed()
    bus.app.state.clock.by = skew
    broker = Broker(bus.settings)
    await broker.connect()
    await broker.ensure_stream(EVENTS, is_owner=True)
    number = iter(range(1, 10**6))

    async def publish(kind=TYPE, text="x"):
        n = next(number)
        body = orjson.dumps({"type": kind, "data": text, "n": n})
        answer = await broker.client.request(f"sebalai.{kind}", body, timeout=5)
        return orjson.loads(answer.data)["seq"]

    @contextlib.asynccontextmanager
    async def working():
        tasks = asyncio.create_task(
            direct_tasks(bus.settings, bus.database, broker, clock=bus.app.state.clock)
        )
        try:
            yield
        finally:
            tasks.cancel()
            await asyncio.gather(tasks, return_exceptions=True)

    async with working():
        yield SimpleNamespace(publish=publish, broker=broker, working=working)
    await broker.close()


@pytest.fixture
async def agreed(bus, interface_wanted, agreement_wanted):
    body = interface_wanted(name=INTERFACE)
    assert (await bus.ask("POST", "/v1/interfaces", bus.publisher, json=body)).status_code == 201
    for kind in (TYPE, OTHER):
        await bus.describe(type=kind, access="agreement", interface=INTERFACE)
    until = bus.clock.now().replace(year=bus.clock.now().year + 1).isoformat()
    rules = [{"method": "SUBSCRIBE", "path": f"/{TYPE}"}]
    asked = await bus.ask(
        "POST", "/v1/agreements", bus.subscriber,
        json=agreement_wanted(rules=rules, valid_until=until),
    )  # fmt: skip
    path = f"/v1/agreements/{asked.json()['id']}"
    assert (await bus.ask("POST", f"{path}/grant", bus.publisher)).status_code == 200
    return path


async def subscribed(bus, **more):
    wanted = {"types": ["dp3acskb.*"], "purpose": "verifikasi-bansos"} | more
    made = await bus.subscribe(kind="nats", **wanted)
    answer = await bus.ask("POST", f"/v1/subscriptions/{made['id']}/credential", bus.subscriber)
    assert answer.status_code == 200, answer.text
    return SimpleNamespace(id=made["id"], **answer.json())


@contextlib.asynccontextmanager
async def connected(server, one, **more):
    """A client that tells what it was refused and when it was cut off."""
    told = SimpleNamespace(errors=[], cut=asyncio.Event())

    async def on_error(error):
        told.errors.append(str(error))

    async def on_cut():
        told.cut.set()

    wanted = {"user": one.user, "password": one.password, "inbox_prefix": one.inbox_prefix}
    client = await nats.connect(
        server.url, error_cb=on_error, disconnected_cb=on_cut, allow_reconnect=False,
        connect_timeout=5, **wanted | more,
    )  # fmt: skip
    told.client = client
    try:
        yield told
    finally:
        await client.close()


async def is_refused(server, one, **more):
    """What the broker says to a client's first two lines; the library leaves sockets open."""
    told = {"user": one.user, "pass": one.password, "verbose": False, "pedantic": False} | more
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        await reader.readline()
        writer.write(b"CONNECT " + orjson.dumps(told) + b"\r\nPING\r\n")
        while (line := await reader.readline()) not in (b"PONG\r\n", b""):
            if line.startswith(b"-ERR"):
                return True
        return line == b""
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def until_connected(bus, server, one):
    async def can():
        return not await is_refused(server, one)

    await bus.until(can)


async def until_shaped(bus, stream, one):
    async def has_consumer():
        with contextlib.suppress(Exception):
            return await stream.broker.api(f"CONSUMER.INFO.EVENTS.{one.consumer}")

    return await bus.until(has_consumer)


async def fetch(told, one, count):
    pulled = await told.client.jetstream(domain=one.domain).pull_subscribe_bind(
        one.consumer, one.stream
    )
    messages = await pulled.fetch(count, timeout=10)
    for message in messages:
        await message.ack()
    return [message.subject for message in messages]
