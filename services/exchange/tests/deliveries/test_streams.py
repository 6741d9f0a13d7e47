"""Open streams and the rights of their subscriptions, over the API on a real database."""

import asyncio
import contextlib

import pytest
from sebalai_exchange import streams
from sebalai_exchange.deliveries import fetching
from sebalai_exchange.publishing.sequencer import Sequencer
from sqlalchemy import text

TYPE = "dp3acskb.birth.recorded.v1"
INTERFACE = "ID-BB/GOV/dp3acskb/kependudukan/penduduk"
# Much less than a stream lasts, or than it once slept between two looks at its rights.
PATIENCE_SECONDS = 10


class Reading:
    """A client that keeps reading one stream; `ended` once the bus has ended it."""

    def __init__(self, bus, made):
        self._bus, self._path = bus, f"/v1/subscriptions/{made['id']}/stream"
        self.chunks, self._task = [], None

    async def _read(self):
        headers = self._bus.settings._asserter.headers(self._bus.subscriber, "exchange")
        async for chunk in self._bus.stream(self._path, headers):
            self.chunks.append(chunk.decode())

    @property
    def ended(self):
        return self._task.done()

    @property
    def heard(self):
        return sum(chunk.count("\ndata: ") for chunk in self.chunks)

    async def __aenter__(self):
        self._task = asyncio.create_task(self._read())
        await self._bus.until(lambda: self.chunks)
        return self

    async def __aexit__(self, *_):
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


@contextlib.asynccontextmanager
async def numbering(bus):
    task = asyncio.create_task(Sequencer(bus.settings.database_dsn()).run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def agreed(bus, interface_wanted, agreement_wanted):
    """The agreement by which the subscriber may hear of the type."""
    body = interface_wanted(name=INTERFACE)
    answer = await bus.ask("POST", "/v1/interfaces", bus.publisher, json=body)
    assert answer.status_code == 201, answer.text
    await bus.describe(access="agreement", interface=INTERFACE)
    valid_until = bus.clock.now().replace(year=bus.clock.now().year + 1).isoformat()
    terms = agreement_wanted(
        rules=[{"method": "SUBSCRIBE", "path": f"/{TYPE}"}], valid_until=valid_until
    )
    asked = await bus.ask("POST", "/v1/agreements", bus.subscriber, json=terms)
    assert asked.status_code == 201, asked.text
    path = f"/v1/agreements/{asked.json()['id']}"
    granted = await bus.ask("POST", f"{path}/grant", bus.publisher)
    assert granted.status_code == 200, granted.text
    return path


async def streamed(bus, **more):
    return await bus.subscribe(kind="sse", purpose="verifikasi-bansos", **more)


@pytest.mark.parametrize("step", ["pause", "end"])
async def test_a_quiet_stream_ends_when_its_subscription_does(bus, step):
    await bus.describe()
    made = await streamed(bus)
    async with Reading(bus, made) as one, Reading(bus, made) as other:
        path = f"/v1/subscriptions/{made['id']}/{step}"
        answer = await bus.ask("POST", path, bus.subscriber, json={"reason": "sudah cukup"})
        assert answer.status_code == 200, answer.text
        await bus.until(lambda: one.ended and other.ended, PATIENCE_SECONDS)


@pytest.mark.parametrize("step", ["suspend", "revoke"])
async def test_a_stream_ends_when_nothing_is_left_to_hear(bus, agreed, step):
    made = await streamed(bus)
    async with numbering(bus), Reading(bus, made) as one:
        await bus.publish(bus.event())
        await bus.until(lambda: one.heard == 1)
        body = {"reason": "tujuannya berakhir"}
        answer = await bus.ask("POST", f"{agreed}/{step}", bus.publisher, json=body)
        assert answer.status_code == 200, answer.text
        await bus.until(lambda: one.ended, PATIENCE_SECONDS)
    again = await bus.ask("GET", f"/v1/subscriptions/{made['id']}/stream", bus.subscriber)
    assert again.status_code == 403
    assert again.json()["type"] == "urn:sebalai:problem:nothing-to-hear"


async def test_nothing_is_told_while_nobody_can_look_rights_up(bus):
    await bus.describe()
    made = await streamed(bus)
    hub = bus.app.state.hub
    async with numbering(bus), Reading(bus, made) as one:
        async with bus.database.transaction() as session:
            await session.execute(text("ALTER TABLE subscription RENAME TO subscription_away"))
        try:
            await bus.until(lambda: not hub.rights.are_fresh)
            await bus.publish(bus.event())
            await bus.until(lambda: hub.tail.last == 1)
            await asyncio.sleep(0.1)
            assert one.heard == 0
        finally:
            async with bus.database.transaction() as session:
                await session.execute(text("ALTER TABLE subscription_away RENAME TO subscription"))
        await bus.until(lambda: one.heard == 1)


async def test_a_stream_that_hears_nothing_of_a_busy_log_shows_it_is_there(bus, monkeypatch):
    monkeypatch.setattr(fetching, "HEARTBEAT_SECONDS", 0.3)
    await bus.describe()
    made = await streamed(bus, filters=[{"exact": {"subject": "nobody"}}])
    async with numbering(bus), Reading(bus, made) as one:

        async def is_told():
            await bus.publish(bus.event())
            return any("still here" in chunk for chunk in one.chunks)

        await bus.until(is_told, PATIENCE_SECONDS)
        assert one.heard == 0


async def test_streams_of_one_subscription_share_one_look(bus):
    await bus.describe()
    made = [await streamed(bus) for _ in range(2)]
    rights = bus.app.state.hub.rights
    async with contextlib.AsyncExitStack() as open_streams:
        for one in (made[0], made[0], made[1]):
            await open_streams.enter_async_context(Reading(bus, one))
        assert len(rights) == len(made)
    await bus.until(lambda: len(rights) == 0)


@pytest.mark.parametrize("version", ["2.3", "2.4"])
async def test_a_client_that_stops_reading_is_counted_out(monkeypatch, version):
    monkeypatch.setattr(streams, "SEND_SECONDS", 0.05)
    left, sent = [], []

    async def told():
        while True:
            yield b"data: 1\n\n"

    async def send(message):
        sent.append(message)
        if len(sent) > 2:
            await asyncio.Event().wait()  # its buffers are full

    async def receive():
        await asyncio.Event().wait()

    stream = streams.CountedStream(told(), lambda: left.append(1))
    scope = {"type": "http", "method": "GET", "asgi": {"spec_version": version}}
    async with asyncio.timeout(PATIENCE_SECONDS):
        await stream(scope, receive, send)
    assert left == [1]


async def test_a_stream_is_woken_for_what_it_hears_alone(bus, monkeypatch):
    other = "dp3acskb.death.recorded.v1"
    for kind in (TYPE, other):
        await bus.describe(type=kind)
    made = await streamed(bus)
    hub = bus.app.state.hub
    looked = []

    class Counting(type(hub.tail)):
        async def after(self, position, kinds):
            looked.append(position)
            return await super().after(position, kinds)

    hub.tail.__class__ = Counting
    async with numbering(bus), Reading(bus, made) as one:
        await bus.until(lambda: looked)
        looked.clear()
        for _ in range(5):
            await bus.publish(bus.event(type=other))
        await bus.until(lambda: hub.tail.last == 5)
        await asyncio.sleep(0.1)
        assert looked == []
        await bus.publish(bus.event())
        await bus.until(lambda: one.heard == 1)
        assert looked[0] == 5  # what it does not hear is behind it, and is not read again
