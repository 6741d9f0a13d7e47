"""The broker without its disk: lost entirely, or full. What it forgets is sent again from PostgreSQL.

Counts are printed.
"""

import asyncio
import shutil
import time

import httpx
import pytest

from tests.drills.bus import PATIENCE_SECONDS, PUBLISHER, Api

pytestmark = [pytest.mark.drill, pytest.mark.timeout(1_800)]

CALLS = 20


async def count_facts(platform, kind):
    query = "SELECT count(*) AS n, count(DISTINCT event_id) AS ids FROM event WHERE type = $1"
    return tuple((await platform.rows("exchange", query, kind))[0])


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
    until = time.monotonic() + PATIENCE_SECONDS
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
