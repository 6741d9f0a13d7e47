"""The event store and the dispatcher on a real database, and a real address that receives."""

import asyncio
import contextlib
import importlib.util
from pathlib import Path

import pytest
import sebalai_exchange
from sebalai_exchange.app import exchange_app, webhook_secrets
from sebalai_exchange.deliveries.dispatcher import Dispatcher
from sebalai_exchange.publishing.sequencer import Sequencer
from sebalai_shared.clock import SystemClock
from sebalai_shared.database import Database
from sebalai_shared.ids import uuid7
from sebalai_shared.testing.database import fresh_database
from sebalai_shared.testing.http import Asserter, in_process, system
from sqlalchemy import text

PACKAGE = Path(sebalai_exchange.__file__).parent
RECEIVER = Path(__file__).parents[4] / "tests/systems/webhook_receiver/receiver.py"
PUBLISHER = "ID-BB/GOV/dp3acskb/kependudukan"
SUBSCRIBER = "ID-BB/GOV/dinsos-pmd/bansos"
TYPE = "dp3acskb.birth.recorded.v1"
SCHEMA = {
    "type": "object",
    "required": ["number"],
    "properties": {"number": {"type": "integer"}, "agency": {"type": "string"}},
}


def _receiver_class():
    spec = importlib.util.spec_from_file_location("webhook_receiver", RECEIVER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Receiver


@pytest.fixture
async def receiver():
    async with _receiver_class()() as receiver:
        yield receiver


@pytest.fixture(scope="session")
async def bus_url(postgres_admin_url):
    return await fresh_database(postgres_admin_url, "exchange_bus", PACKAGE)


@pytest.fixture
async def bus_settings(settings, bus_url):
    asserter = Asserter()
    asserter.write_keys(settings.caller_keys_file)
    found = settings.model_copy(
        update={"database_url": bus_url, "private_webhooks": "127.0.0.1", "pool_connections": 10}
    )
    object.__setattr__(found, "_asserter", asserter)
    return found


async def until(condition, seconds=20):
    async with asyncio.timeout(seconds):
        while True:
            found = condition()
            found = await found if asyncio.iscoroutine(found) else found
            if found:
                return found
            await asyncio.sleep(0.02)


class Bus:
    """Calls the API as whoever is named; runs dispatch when asked to."""

    def __init__(self, settings):
        self.settings, self.database = settings, Database(settings)
        self.start()
        self.publisher = system(PUBLISHER, "bus.call", "exchange.manage")
        self.subscriber = system(SUBSCRIBER, "bus.call", "exchange.manage")
        self.operator = system("ID-BB/GOV/diskominfo/operator", "bus.call", "platform.operate")
        self.number, self.dispatch_clock = 0, None

    def start(self, clock=None):
        self.app = exchange_app(self.settings, self.database, clock)
        self._client = in_process(self.app)

    async def ask(self, method, path, caller=None, **more):
        headers = dict(more.pop("headers", {}))
        if caller is not None:
            headers |= self.settings._asserter.headers(caller, "exchange")
        if method == "POST":
            headers.setdefault("Idempotency-Key", str(uuid7()))
        return await self._client.request(method, path, headers=headers, **more)

    async def describe(self, **more):
        wanted = {
            "type": TYPE, "title": "Kelahiran dicatat", "description": "A birth was recorded.",
            "schema": SCHEMA, "examples": [{"number": 1}], "access": "open",
        } | more  # fmt: skip
        answer = await self.ask("POST", "/v1/topics", self.publisher, json=wanted)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def event(self, **more):
        self.number += 1
        return {
            "specversion": "1.0", "id": str(uuid7()), "source": "/dp3acskb/kependudukan",
            "type": TYPE, "subject": f"family-{self.number % 5}", "data": {"number": self.number},
        } | more  # fmt: skip

    async def publish(self, *events):
        answer = await self.ask(
            "POST", "/v1/events", self.publisher, json=list(events),
            headers={"Content-Type": "application/cloudevents-batch+json"},
        )  # fmt: skip
        assert answer.status_code == 202, answer.text
        return answer.json()["events"]

    async def stream(self, path, headers):
        """The chunks of an answer as they are sent; leaving the loop is the client going away."""
        queue, gone = asyncio.Queue(), asyncio.Event()
        wire = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        scope = {
            "type": "http", "http_version": "1.1", "method": "GET", "path": path,
            "raw_path": path.encode(), "query_string": b"", "headers": wire, "scheme": "http",
            "server": ("member", 80), "client": ("127.0.0.1", 1), "asgi": {"version": "3.0"},
        }  # fmt: skip

        async def receive():
            await gone.wait()
            return {"type": "http.disconnect"}

        task = asyncio.create_task(self.app(scope, receive, queue.put))
        try:
            started = await queue.get()
            assert started["status"] == 200, started
            while (message := await queue.get()).get("more_body"):
                yield message["body"]
        finally:
            gone.set()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def subscribe(self, url=None, **more):
        kind = "webhook" if url else more.pop("kind", "pull")
        wanted = {
            "subscriber": SUBSCRIBER, "title": "Bansos", "types": [TYPE], "kind": kind, "url": url,
        } | more  # fmt: skip
        answer = await self.ask("POST", "/v1/subscriptions", self.subscriber, json=wanted)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def read(self, ident):
        return (await self.ask("GET", f"/v1/subscriptions/{ident}", self.subscriber)).json()

    async def until_active(self, ident):
        async def is_active():
            return (await self.read(ident))["state"] == "active"

        await until(is_active)

    async def empty(self):
        tables = "topic, topic_version, event_seen, event_new, event, subscription, lane, "
        async with self.database.transaction() as session:
            await session.execute(
                text(
                    f"TRUNCATE {tables} delivery, attempt, receipt_due, outbox, interface, agreement CASCADE"
                )
            )
            await session.execute(text("UPDATE event_head SET pos = 0"))

    def dispatcher(self):
        targets = (
            self.settings.webhook_reach(), webhook_secrets(self.settings), "http://bus.example",
        )  # fmt: skip
        return Dispatcher(
            self.settings.database_dsn(), self.database, targets, clock=self.dispatch_clock
        )

    @contextlib.asynccontextmanager
    async def running(self):
        sequencer = Sequencer(self.settings.database_dsn())
        tasks = [asyncio.create_task(t.run()) for t in (sequencer, self.dispatcher())]
        try:
            yield
        finally:
            failed = [task.exception() for task in tasks if task.done()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            assert not failed, failed


@pytest.fixture
async def bus(bus_settings):
    bus = Bus(bus_settings)
    await bus.empty()
    bus.until, bus.clock = until, SystemClock()
    yield bus
    await bus.app.state.hub.close()
    await bus.database.close()
