"""kill -9 of any part while events are published and delivered.

An event whose publisher got 202 reaches the subscriber; a subscriber that deduplicates by
`webhook-id` applies each once and sees every key in order, and so does one that reads the stream
afterwards over NATS. Counts are printed; what is late is told from what is lost.
SEBALAI_DRILL_EVENTS (400) and SEBALAI_DRILL_KILLS (10) make it long.
"""

import asyncio
import json
import os
import random

import httpx
import nats
import pytest
from nats.errors import Error as NatsError

from tests.drills.bus import (
    SUBSCRIBER,
    Api,
    Publishing,
    disordered,
    fates,
    receiver_class,
    until_quiet,
)

pytestmark = [pytest.mark.drill, pytest.mark.timeout(7_200)]

EVENTS = int(os.environ.get("SEBALAI_DRILL_EVENTS", "400"))
WRITERS, KEYS_EACH = 8, 10
FAILING = 0.03
QUIET_SECONDS = 90  # longer than the wait of a refused event and of an open breaker's probe
VICTIMS = ("exchange", "exchange-worker", "exchange-dispatcher", "nats", "postgres")


def refused_once():
    """Some events are refused the first time, so that their keys wait behind a retry of 5 s."""
    known = set()

    def fails(_path, event):
        is_new = event["id"] not in known
        known.add(event["id"])
        return 500 if is_new and random.random() < FAILING else 0

    return fails


class Killer:
    """Kills of `victims` in turn, at random moments spread over the events."""

    def __init__(self, platform, kills):
        self._platform = platform
        self._moments = sorted(random.sample(range(EVENTS), kills))
        self.killed, self.is_done = [], False

    async def run(self, publishing):
        for number, moment in enumerate(self._moments):
            while publishing.count < moment:
                await asyncio.sleep(0.05)
            await self._kill(VICTIMS[number % len(VICTIMS)])
            await asyncio.sleep(random.uniform(0.3, 1.3))
        self.is_done = True

    async def _kill(self, name):
        """One that is just coming back is killed once it runs."""
        while not await asyncio.to_thread(self._platform.kill, name):
            await asyncio.sleep(0.2)
        self.killed.append(name)

    def told(self):
        return ", ".join(f"{name} {self.killed.count(name)}" for name in VICTIMS)


async def read_stream(api, ident, wanted):
    """All events of a direct subscription, each the first time it comes, in the stream's order."""
    told = await api.ask("POST", f"/subscriptions/{ident}/credential", SUBSCRIBER)
    client = await nats.connect(
        told["servers"], user=told["user"], password=told["password"],
        inbox_prefix=told["inbox_prefix"],
    )  # fmt: skip
    try:
        stream = client.jetstream(domain=told["domain"])
        pulled = await stream.pull_subscribe_bind(told["consumer"], told["stream"])
        got = {}
        while len(got) < wanted:
            try:
                found = await pulled.fetch(100, timeout=10)
            except (NatsError, TimeoutError):
                break
            for message in found:
                event = json.loads(message.data)
                got.setdefault(event["id"], event)
                await message.ack()
        return list(got.values())
    finally:
        await client.close()


class Subscriber:
    """Applies an event the first time it comes, and counts how often any came."""

    def __init__(self):
        self.applied, self.posts = {}, 0

    def take(self, _path, event):
        self.posts += 1
        self.applied.setdefault(event["id"], event)


async def test_no_event_is_lost_doubled_or_out_of_order_whatever_is_killed(platform, kills):
    killer, hearer = Killer(platform, kills), Subscriber()
    async with (
        receiver_class()(note=hearer.take) as receiver,
        httpx.AsyncClient(timeout=20) as client,
    ):
        api = Api(platform, client)
        await api.describe()
        webhook = await api.subscribe(kind="webhook", url=receiver.url("/good/drill"))
        direct = await api.subscribe(kind="nats")
        receiver.fails = refused_once()
        publishing = Publishing(api, WRITERS, KEYS_EACH)
        killing = asyncio.create_task(killer.run(publishing))
        await publishing.until(lambda: publishing.count >= EVENTS and killer.is_done)
        await killing
        wanted = {ident for ids in publishing.sent.values() for ident in ids}
        await until_quiet(lambda: len(hearer.applied), len(wanted), QUIET_SECONDS)
        streamed = await read_stream(api, direct, len(wanted))
    late, lost = await fates(platform, webhook, wanted - set(hearer.applied))
    foreign = set(hearer.applied) - wanted
    breaks = disordered(publishing.sent, hearer.applied.values())
    unstreamed = wanted - {event["id"] for event in streamed}
    stream_breaks = disordered(publishing.sent, streamed)
    print(
        f"\ndrill events: {len(wanted)} published, {len(killer.killed)} kills ({killer.told()}), "
        f"{len(lost)} lost, {len(late)} late, {len(foreign)} never published, "
        f"{hearer.posts - len(hearer.applied)} posted twice and applied once, "
        f"{len(breaks)} of {len(publishing.sent)} keys out of order; over NATS "
        f"{len(unstreamed)} lost, {len(stream_breaks)} keys out of order"
    )
    assert (len(lost), len(late), len(foreign), breaks) == (0, 0, 0, [])
    assert (len(unstreamed), stream_breaks) == (0, [])
