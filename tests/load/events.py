"""Suite `events`: from the publisher's POST to the received webhook, healthy subscribers beside bad
ones, a thousand streams, fan-out, the relay, and the schema check.

The API runs in this process, the sequencer and the dispatcher in one process beside it with a
durable PostgreSQL; the receiver is in this process too, so all share the machine's cores.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import multiprocessing
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import sebalai_exchange
import uvloop
from backlog import backlog
from figures import figure
from joserfc.jwk import ECKey
from neighbours import neighbours
from relaying import relaying
from sebalai_exchange.app import exchange_app
from sebalai_exchange.cesql.compiling import predicate
from sebalai_exchange.publishing.sequencer import Sequencer
from sebalai_exchange.settings import ExchangeSettings
from sebalai_exchange.topics.rules import compile_schema, faults
from sebalai_exchange.worker import dispatch
from sebalai_local.engines import Engines
from sebalai_shared.database import Database
from sebalai_shared.ids import uuid7
from sebalai_shared.testing.database import fresh_database
from sebalai_shared.testing.http import Asserter, in_process, system
from sqlalchemy import text
from streams import streams

PACKAGE = Path(sebalai_exchange.__file__).parent
RECEIVER = Path(__file__).parents[1] / "systems/webhook_receiver/receiver.py"
RATES = ((100, 50.0), (400, 150.0))
SECONDS = 10
SUBSCRIBERS = 1_000
PUBLISHING_AT_ONCE = 16
TYPE = "dp3acskb.birth.recorded.v1"
QUIET, SHARED = "dp3acskb.birth.quiet.v1", "dp3acskb.birth.shared.v1"
STREAMED, MISSED = "dp3acskb.birth.streamed.v1", "dp3acskb.birth.missed.v1"
SCHEMA = {
    "type": "object",
    "required": ["number"],
    "properties": {"number": {"type": "integer"}, "place": {"type": "string", "maxLength": 80}},
}


def run() -> None:
    _schema_check()
    _filter_check()
    folder = Path(tempfile.mkdtemp(prefix="sebalai-bench-"))
    folder.chmod(0o711)
    try:
        with Engines.start(folder, durable=True) as engines:
            asyncio.run(_measure(engines, folder))
    finally:
        shutil.rmtree(folder)


def _schema_check() -> None:
    validator, data = compile_schema(SCHEMA), {"number": 7, "place": "Pangkalpinang"}
    begun, count = time.perf_counter(), 100_000
    for _ in range(count):
        faults(validator, data)
    spent = (time.perf_counter() - begun) / count * 1e6
    figure("events.schema_check", spent, "us", "<=", 10)


def _filter_check() -> None:
    passes = predicate("subject LIKE 'family-%' AND (priority > 2 OR source = '/dp3acskb/a')")
    event = {"type": TYPE, "id": "a-1", "source": "/dp3acskb/a", "subject": "family-7"}
    event["priority"] = "3"
    begun, count = time.process_time(), 100_000
    for _ in range(count):
        passes(event)
    spent = (time.process_time() - begun) / count * 1e6
    figure("events.sql_filter", spent, "us", "<=", 10)


def _beside(settings: ExchangeSettings) -> None:
    async def both() -> None:
        await asyncio.gather(Sequencer(settings.database_dsn()).run(), dispatch(settings))

    uvloop.run(both())  # as the process that serves


async def _measure(engines: Engines, folder: Path) -> None:
    key = ECKey.generate_key("P-256", auto_kid=True)
    (folder / "routes.jwk").write_text(json.dumps(key.as_dict(private=True)), encoding="utf-8")
    asserter = Asserter()
    settings = ExchangeSettings(
        database_url=await fresh_database(engines.addresses.postgres_admin_url, "bench", PACKAGE),
        caller_keys_file=asserter.write_keys(folder / "callers.json"),
        routes_key_file=folder / "routes.jwk",
        private_webhooks="127.0.0.1",
        nats_url=engines.addresses.nats_url,
        nats_token=engines.addresses.nats_token,
        pool_connections=20,
    )
    process = multiprocessing.get_context("spawn").Process(
        target=_beside, args=(settings,), daemon=True
    )
    process.start()
    database = Database(settings)
    spec = importlib.util.spec_from_file_location("webhook_receiver", RECEIVER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    try:
        async with module.Receiver() as receiver:
            bench = Bench(settings, database, asserter, receiver)
            await bench.describe()
            await bench.subscribe("/good/one", [TYPE])
            for rate, target in RATES:
                await bench.rate(rate, target)
            assert process.pid is not None
            await neighbours(bench, folder, process.pid, QUIET, SHARED)
            told = {
                "DATABASE_URL": settings.database_url,
                "CALLER_KEYS_FILE": str(settings.caller_keys_file),
                "LOG_LEVEL": "WARNING",
            }
            await streams(bench, STREAMED, told)
            await backlog(bench, process.pid, MISSED, QUIET)
            await bench.fan_out()
            await relaying(settings)
    finally:
        process.terminate()
        process.join()
        await database.close()


class Bench:
    def __init__(
        self, settings: ExchangeSettings, database: Database, asserter: Asserter, receiver: Any
    ) -> None:
        self._client = in_process(exchange_app(settings, database))
        self._database, self._asserter, self.receiver = database, asserter, receiver
        self._who = system("ID-BB/GOV/dp3acskb/kependudukan", "bus.call", "exchange.manage")

    async def _ask(self, path: str, body: Any, kind: str = "application/json") -> Any:
        headers = self._asserter.headers(self._who, "exchange")
        headers |= {"Idempotency-Key": str(uuid7()), "Content-Type": kind}
        answer = await self._client.post(path, content=json.dumps(body), headers=headers)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def caller(self) -> str:
        """The header that says who asks, good for thirty seconds."""
        return str(self._asserter.headers(self._who, "exchange")["Sebalai-Caller"])

    async def execute(self, statement: Any, **values: Any) -> Any:
        """What HTTP cannot do or tell; the first value of a row, if there is one."""
        async with self._database.transaction() as session:
            found = await session.execute(statement, values)
            return found.scalar() if found.returns_rows else None

    async def describe(self) -> None:
        for kind in (TYPE, SHARED, QUIET, STREAMED, MISSED):
            topic = {
                "type": kind, "title": "Kelahiran", "description": "A birth was recorded.",
                "schema": SCHEMA, "examples": [{"number": 1}], "access": "open",
            }  # fmt: skip
            await self._ask("/v1/topics", topic)

    async def subscribe(self, where: str | None, kinds: list[str]) -> str:
        """`where` is an address, a path of the receiver of this process, or None for a stream."""
        made = await self._ask("/v1/subscriptions", self._wanted(where, kinds))
        if where is not None:
            await self._until_active()
        return str(made["id"])

    async def resume(self, ident: str, change: Any) -> None:
        """As an operator does who does not wait for the next probe; `change` is made meanwhile."""
        await self._ask(f"/v1/subscriptions/{ident}/pause", {"reason": "bench"})
        await asyncio.sleep(1.0)
        await self.execute(change, id=ident)
        await self._ask(f"/v1/subscriptions/{ident}/resume", {"reason": "bench"})
        await self._until_active()

    async def end(self, ident: str) -> None:
        await self._ask(f"/v1/subscriptions/{ident}/end", {"reason": "bench"})

    def _wanted(self, where: str | None, kinds: list[str]) -> dict[str, Any]:
        wanted = {"subscriber": self._who.application, "title": "Bench", "types": kinds}
        if where is None:
            return wanted | {"kind": "sse"}
        url = where if where.startswith("http") else self.receiver.url(where)
        return wanted | {"kind": "webhook", "url": url}

    async def _until_active(self) -> None:
        while True:
            async with self._database.transaction() as session:
                query = text("SELECT count(*) FROM subscription WHERE state = 'verifying'")
                if not await session.scalar(query):
                    break
            await asyncio.sleep(0.2)
        await asyncio.sleep(1.0)

    def _event(self, number: int, kind: str = TYPE) -> dict[str, Any]:
        return {
            "specversion": "1.0", "id": str(uuid7()), "source": "/bench", "type": kind,
            "subject": f"k{number % 97}", "data": {"number": number},
        }  # fmt: skip

    async def publish_evenly(self, rate: int, seconds: int, kind: str = TYPE) -> dict[str, float]:
        """One event a request at an even pace; when each was answered 202, by id."""
        self.receiver.got.clear()
        stored: dict[str, float] = {}
        slots = asyncio.Semaphore(PUBLISHING_AT_ONCE)

        async def one(number: int) -> None:
            event = self._event(number, kind)
            async with slots:
                await self._ask("/v1/events", event, "application/cloudevents+json")
            stored[event["id"]] = time.time()

        begun, tasks = time.time(), list[asyncio.Task[None]]()
        for number in range(rate * seconds):
            await asyncio.sleep(max(begun + number / rate - time.time(), 0))
            tasks.append(asyncio.create_task(one(number)))
        await asyncio.gather(*tasks)
        return stored

    async def rate(self, rate: int, target: float) -> None:
        """Commit (the 202 is here) to received."""
        stored = await self.publish_evenly(rate, SECONDS)
        while len(self.receiver.got["/good/one"]) < len(stored):
            await asyncio.sleep(0.05)
        took = sorted(
            (got["_at"] - stored[got["id"]]) * 1e3 for got in self.receiver.got["/good/one"]
        )
        figure(f"events.commit_to_webhook_p50_at_{rate}", took[len(took) // 2], "ms", "<=", 15)
        p99 = took[int(len(took) * 0.99)]
        figure(f"events.commit_to_webhook_p99_at_{rate}", p99, "ms", "<=", target)

    async def fan_out(self) -> None:
        paths = [f"/good/fan-{number}" for number in range(SUBSCRIBERS - 1)]
        for path in paths:
            await self._ask("/v1/subscriptions", self._wanted(path, [TYPE]))
        await self._until_active()
        self.receiver.got.clear()
        begun = time.time()
        await self._ask("/v1/events", self._event(1), "application/cloudevents+json")
        while sum(len(self.receiver.got[path]) for path in [*paths, "/good/one"]) < SUBSCRIBERS:
            await asyncio.sleep(0.02)
        figure("events.fan_out_to_1000", time.time() - begun, "s", "<=", 5)
