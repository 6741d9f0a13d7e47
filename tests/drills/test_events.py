"""kill -9 of any part while events are published and delivered; the broker's disk lost.

An event whose publisher got 202 reaches the subscriber; a subscriber that deduplicates by
`webhook-id` applies each once and sees every key in order. Counts are printed.
SEBALAI_DRILL_EVENTS (400) and SEBALAI_DRILL_KILLS (10) make it long.
"""

import asyncio
import importlib.util
import itertools
import os
import random
import shutil
import time
from pathlib import Path

import asyncpg
import httpx
import pytest
from sebalai_shared.ids import uuid7

pytestmark = [pytest.mark.drill, pytest.mark.timeout(1_800)]

EVENTS = int(os.environ.get("SEBALAI_DRILL_EVENTS", "400"))
WRITERS, KEYS_EACH = 4, 5
FAILING = 0.03
SETTLE_SECONDS = 180
CALLS = 20
PUBLISHER, SUBSCRIBER = "dinsos-pmd/bansos", "dinkes/puskesmas"
TYPE = "dinsos-pmd.aid.given.v1"
VICTIMS = ("exchange", "exchange-worker", "exchange-dispatcher", "nats", "postgres")
_RECEIVER = Path(__file__).parents[1] / "systems/webhook_receiver/receiver.py"


def receiver_class():
    spec = importlib.util.spec_from_file_location("webhook_receiver", _RECEIVER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Receiver


class Api:
    """The exchange through the gateway; asks again while a part of the platform is away."""

    def __init__(self, platform, client):
        self._platform, self._client = platform, client
        self.url = f"{platform.gateway}/api/exchange/v1"
        self.tokens = {name: platform.token(name) for name in (PUBLISHER, SUBSCRIBER)}

    async def ask(self, method, path, who, **more):
        headers = {"authorization": f"Bearer {self.tokens[who]}", "idempotency-key": str(uuid7())}
        headers |= more.pop("headers", {})
        until = time.monotonic() + SETTLE_SECONDS
        while True:
            try:
                answer = await self._client.request(
                    method, self.url + path, headers=headers, **more
                )
                if answer.status_code < 500:
                    assert answer.status_code < 300, answer.text
                    return answer.json()
            except httpx.HTTPError:
                pass
            assert time.monotonic() < until, f"{method} {path} found nobody"
            await asyncio.sleep(0.2)


async def described(platform, api, receiver, name):
    topic = {
        "type": TYPE, "title": "Bantuan diberikan", "description": "Aid was given.",
        "schema": {"type": "object"}, "examples": [{"n": 1}], "access": "open",
    }  # fmt: skip
    await api.ask("POST", "/topics", PUBLISHER, json=topic)
    subscription = {
        "subscriber": platform.application(SUBSCRIBER)["identifier"], "title": "Drill",
        "types": [TYPE], "kind": "webhook", "url": receiver.url(f"/good/{name}"),
    }  # fmt: skip
    made = await api.ask("POST", "/subscriptions", SUBSCRIBER, json=subscription)
    while (await api.ask("GET", f"/subscriptions/{made['id']}", SUBSCRIBER))["state"] != "active":
        await asyncio.sleep(0.1)
    return made


async def publish_all(api, count):
    """Published event ids by key, in the order in which 202 was answered."""
    sent, numbers = {}, itertools.count()

    async def writer(number):
        keys = [f"w{number}-k{key}" for key in range(KEYS_EACH)]
        while (n := next(numbers)) < count:
            key = random.choice(keys)
            event = {
                "specversion": "1.0", "id": str(uuid7()), "source": "/drill", "type": TYPE,
                "subject": key, "data": {"n": n},
            }  # fmt: skip
            kind = {"content-type": "application/cloudevents+json"}
            await api.ask("POST", "/events", PUBLISHER, json=event, headers=kind)
            sent.setdefault(key, []).append(event["id"])

    await asyncio.gather(*(writer(number) for number in range(WRITERS)))
    return sent


def refused_once():
    """Some events are refused the first time. Three refusals of one would make its key wait for
    five minutes, as promised, which is longer than SETTLE_SECONDS and looks like a loss.
    """
    known = set()

    def fails(_path, event):
        is_new = event["id"] not in known
        known.add(event["id"])
        return 500 if is_new and random.random() < FAILING else 0

    return fails


async def test_no_event_is_lost_doubled_or_out_of_order_whatever_is_killed(platform, kills):
    killed = []

    async def killer():
        for number in range(kills):
            await asyncio.sleep(random.uniform(0.8, 1.8))
            name = VICTIMS[number % len(VICTIMS)]
            if await asyncio.to_thread(platform.kill, name):
                killed.append(name)

    async with receiver_class()() as receiver, httpx.AsyncClient(timeout=20) as client:
        api = Api(platform, client)
        await described(platform, api, receiver, "drill")
        receiver.fails = refused_once()
        killing = asyncio.create_task(killer())
        sent = {}
        while not killing.done() or not sent:
            for key, ids in (await publish_all(api, EVENTS)).items():
                sent.setdefault(key, []).extend(ids)
        await killing
        wanted = {ident for ids in sent.values() for ident in ids}
        until = time.monotonic() + SETTLE_SECONDS
        while wanted - set(receiver.ids("/good/drill")) and time.monotonic() < until:
            await asyncio.sleep(0.2)
        got = receiver.got["/good/drill"]
    applied = list({event["id"]: event for event in got}.values())
    lost = wanted - {event["id"] for event in applied}
    foreign = {event["id"] for event in applied} - wanted
    breaks = sum(
        [event["id"] for event in applied if event["subject"] == key] != ids
        for key, ids in sent.items()
    )
    print(
        f"\ndrill events: {len(wanted)} published, {len(killed)} kills "
        f"({ {name: killed.count(name) for name in VICTIMS} }), {len(lost)} lost, "
        f"{len(foreign)} never published, {len(got) - len(applied)} posted twice and applied "
        f"once, {breaks} of {len(sent)} keys out of order"
    )
    assert (len(lost), len(foreign), breaks) == (0, 0, 0)


async def count_facts(platform, kind):
    password = (platform.home / "secrets" / "database-exchange").read_text().strip()
    connection = await asyncpg.connect(
        host="127.0.0.1", port=platform.base + 10, user="exchange", database="exchange",
        password=password,
    )  # fmt: skip
    try:
        query = "SELECT count(*), count(DISTINCT event_id) FROM event WHERE type = $1"
        return tuple(await connection.fetchrow(query, kind))
    finally:
        await connection.close()


def lose_the_brokers_disk(platform):
    """Kills NATS and empties its folder while it is held down, never under a running server."""
    folder = next(path for path in platform.home.rglob("jetstream") if path.is_dir())
    platform.kill("nats")
    platform.run("stop", "nats")
    shutil.rmtree(folder)
    platform.run("start", "nats")


async def test_nothing_is_lost_with_the_brokers_disk(platform):
    kind, count = "exchange.interface.published.v1", 60
    before = (await count_facts(platform, kind))[0]
    owner = platform.application(PUBLISHER)["identifier"]
    contract = {
        "openapi": "3.1.0", "info": {"title": "Drill", "version": "1"},
        "paths": {"/a": {"get": {"responses": {"200": {"description": "ok"}}}}},
    }  # fmt: skip
    async with httpx.AsyncClient(timeout=20) as client:
        api = Api(platform, client)
        for number in range(count):
            wanted = {
                "name": f"{owner}/drill-{number % 7}", "title": "Drill interface",
                "addresses": ["http://127.0.0.1:8820"], "contract": contract,
            }  # fmt: skip
            await api.ask("POST", "/interfaces", PUBLISHER, json=wanted)
            if number == count // 2:
                calls = [platform.call().headers["sebalai-message-id"] for _ in range(CALLS)]
                await asyncio.to_thread(lose_the_brokers_disk, platform)
    until = time.monotonic() + SETTLE_SECONDS
    while (found := await count_facts(platform, kind))[0] < before + count:
        assert time.monotonic() < until, f"{found} of {before + count}"
        await asyncio.sleep(0.5)
    proven = [platform.verify(platform.receipt(call, seconds=60)).returncode for call in calls]
    print(
        f"\ndrill broker's disk: {count} facts, {found[0] - before} stored, once each; "
        f"{proven.count(0)} of {CALLS} calls before the loss proven"
    )
    assert proven == [0] * CALLS
    assert found == (before + count, before + count)
