"""A publisher and subscribers of the drills: they ask again while a part of the platform is away."""

import asyncio
import importlib.util
import random
import time
from pathlib import Path

import httpx
from sebalai_shared.ids import uuid7

PATIENCE_SECONDS = 180
PUBLISHER, SUBSCRIBER = "dinsos-pmd/bansos", "dinkes/puskesmas"
TYPE = "dinsos-pmd.aid.given.v1"
BATCH_MAX = 10
_RECEIVER = Path(__file__).parents[1] / "systems/webhook_receiver/receiver.py"
_BATCH = {"content-type": "application/cloudevents-batch+json"}


def receiver_class():
    spec = importlib.util.spec_from_file_location("webhook_receiver", _RECEIVER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Receiver


class Api:
    """The exchange through the gateway."""

    def __init__(self, platform, client):
        self._platform, self._client = platform, client
        self.url = f"{platform.gateway}/api/exchange/v1"

    async def ask(self, method, path, who, **more):
        """Repeats the same request, so what was done before its answer was lost is not done twice."""
        headers = {"idempotency-key": str(uuid7())} | more.pop("headers", {})
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                answer = await self._once(method, path, who, headers, more)
                if answer.status_code < 500:
                    assert answer.status_code < 300, answer.text
                    return answer.json()
            except httpx.HTTPError:
                pass
            assert time.monotonic() < until, f"{method} {path} found nobody"
            await asyncio.sleep(0.2)

    async def _once(self, method, path, who, headers, more):
        token = await asyncio.to_thread(self._platform.token, who)
        told = headers | {"authorization": f"Bearer {token}"}
        return await self._client.request(method, self.url + path, headers=told, **more)

    async def describe(self, topic=TYPE):
        wanted = {
            "type": topic, "title": "Bantuan diberikan", "description": "Aid was given.",
            "schema": {"type": "object"}, "examples": [{"n": 1}], "access": "open",
        }  # fmt: skip
        await self.ask("POST", "/topics", PUBLISHER, json=wanted)

    async def subscribe(self, topic=TYPE, **more):
        """The id of a new active subscription to `topic`; give its `kind` and what that needs."""
        wanted = {
            "subscriber": self._platform.application(SUBSCRIBER)["identifier"], "title": "Drill",
            "types": [topic],
        } | more  # fmt: skip
        made = await self.ask("POST", "/subscriptions", SUBSCRIBER, json=wanted)
        while (await self._read(made["id"]))["state"] != "active":
            await asyncio.sleep(0.1)
        return made["id"]

    async def _read(self, ident):
        return await self.ask("GET", f"/subscriptions/{ident}", SUBSCRIBER)

    async def publish(self, events):
        """One to BATCH_MAX events in one request; returns once they are stored."""
        await self.ask("POST", "/events", PUBLISHER, json=events, headers=_BATCH)


def event(key, number, topic=TYPE):
    return {
        "specversion": "1.0", "id": str(uuid7()), "source": "/drill", "type": topic,
        "subject": key, "data": {"n": number},
    }  # fmt: skip


class Publishing:
    """Many writers at once, each with keys of its own; `sent` has each key's ids in the order in
    which they were answered 202.
    """

    def __init__(self, api, writers, keys_each):
        self._api, self._writers, self._keys_each = api, writers, keys_each
        self.sent, self.count = {}, 0

    async def until(self, is_enough):
        await asyncio.gather(*(self._write(n, is_enough) for n in range(self._writers)))

    async def _write(self, writer, is_enough):
        keys = [f"w{writer}-k{key}" for key in range(self._keys_each)]
        while not is_enough():
            events = [
                event(random.choice(keys), self.count + n)
                for n in range(random.randint(1, BATCH_MAX))
            ]
            self.count += len(events)
            await self._api.publish(events)
            for one in events:
                self.sent.setdefault(one["subject"], []).append(one["id"])


_FATES = """
SELECT e.id, CASE WHEN d.state IS NOT NULL THEN d.state WHEN e.pos > l.pos THEN 'ahead'
  ELSE 'passed' END AS fate
FROM event e JOIN lane l ON l.subscription = $1::text::uuid
LEFT JOIN delivery d ON d.subscription = l.subscription AND d.pos = e.pos
WHERE e.id = ANY($2)
"""


async def fates(platform, subscription, missing):
    """What the bus itself knows of events a subscriber has not got: (late, lost). One that waits
    for its next try, or that the lane has not come to, is late; any other is lost.
    """
    rows = await platform.rows("exchange", _FATES, subscription, list(missing))
    late = {row["id"] for row in rows if row["fate"] in ("waiting", "held", "ahead")}
    return late, set(missing) - late


def disordered(sent, applied):
    """Keys of which a later event was applied although an earlier one was not."""
    got = {}
    for one in applied:
        got.setdefault(one["subject"], []).append(one["id"])
    return [key for key, ids in got.items() if ids != sent.get(key, [])[: len(ids)]]


async def until_quiet(progress, wanted, quiet_seconds):
    """Until `progress()` has reached `wanted`, or has not changed for `quiet_seconds`."""
    last, since = progress(), time.monotonic()
    while last < wanted and time.monotonic() - since < quiet_seconds:
        await asyncio.sleep(0.2)
        if progress() != last:
            last, since = progress(), time.monotonic()
