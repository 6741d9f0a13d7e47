"""What changes while the dispatcher is at work: it begins, loses its lock, or an address moves."""

import asyncio
import contextlib

from sebalai_exchange.deliveries.dispatcher import DispatcherLostError
from sqlalchemy import text

EVENTS = 5


@contextlib.asynccontextmanager
async def news(bus, kind="subscriptions"):
    """Something changes all the time."""

    async def ring():
        while True:
            async with bus.database.transaction() as session:
                await session.execute(text("SELECT pg_notify(:kind, '')"), {"kind": kind})

    task = asyncio.create_task(ring())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_dispatcher_that_begins_amid_news_serves_each_subscription_once(bus, receiver):
    await bus.describe()
    async with bus.running():
        made = [await bus.subscribe(receiver.url(f"/good/{n}")) for n in range(4)]
        for one in made:
            await bus.until_active(one["id"])
        for one in made:
            await bus.ask(
                "POST",
                f"/v1/subscriptions/{one['id']}/pause",
                bus.subscriber,
                json={"reason": "nanti"},
            )
        await bus.publish(*(bus.event() for _ in range(EVENTS)))
    async with bus.database.transaction() as session:
        await session.execute(text("UPDATE subscription SET state = 'active'"))
    for _ in range(3):
        async with bus.database.transaction() as session:
            await session.execute(text("UPDATE lane SET pos = 0"))
            await session.execute(text("DELETE FROM attempt"))
        for one in range(4):
            receiver.got[f"/good/{one}"].clear()
        async with news(bus), bus.running():
            await bus.until(
                lambda: all(len(receiver.ids(f"/good/{n}")) >= EVENTS for n in range(4))
            )
            await asyncio.sleep(0.3)
        posts = [len(receiver.ids(f"/good/{n}")) for n in range(4)]
        assert posts == [EVENTS] * 4


class Moved:
    """An address that is asked whether it agrees, and has moved before it says so."""

    def __init__(self, bus):
        self.bus, self.asked, self.may_answer = bus, asyncio.Event(), asyncio.Event()

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/old"
        return self

    async def __aexit__(self, *_):
        self.may_answer.set()
        self._server.close()

    async def _answer(self, reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        self.asked.set()
        await self.may_answer.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nWebHook-Allowed-Origin: *\r\nContent-Length: 0\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        writer.close()


async def test_the_old_address_does_not_agree_for_the_new_one(bus, receiver):
    receiver.agreed_origin = "elsewhere.example"
    await bus.describe()
    async with bus.running(), Moved(bus) as old:
        made = await bus.subscribe(old.url)
        await old.asked.wait()
        path = f"/v1/subscriptions/{made['id']}"
        changed = await bus.ask(
            "PATCH", path, bus.subscriber, json={"url": receiver.url("/good/new")}
        )
        assert changed.json()["state"] == "verifying", changed.text
        old.may_answer.set()
        await bus.until(lambda: receiver.handshakes)
        await bus.publish(bus.event())
        await asyncio.sleep(0.3)
        assert (await bus.read(made["id"]))["state"] == "verifying"
        assert receiver.got["/good/new"] == []
        receiver.agreed_origin = "*"
        await bus.until_active(made["id"])
        await bus.until(lambda: len(receiver.got["/good/new"]) == 1)


async def test_a_dispatcher_that_lost_its_lock_ends_though_nothing_is_published(bus, receiver):
    await bus.describe()
    dispatching = asyncio.create_task(bus.dispatcher().run())
    query = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"

    async def holder():
        async with bus.database.transaction() as session:
            return await session.scalar(text(query))

    pid = await bus.until(holder)
    made = await bus.subscribe(receiver.url("/good/a"))
    await bus.until_active(made["id"])
    async with bus.database.transaction() as session:
        await session.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    done, _ = await asyncio.wait([dispatching], timeout=10)
    dispatching.cancel()
    assert done, "it goes on without its lock"
    assert isinstance(dispatching.exception(), DispatcherLostError), dispatching.exception()
