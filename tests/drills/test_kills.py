"""kill -9 of any one process while calls run: every answered call is journalled and provable.

What was answered counts, whatever its status; a call that got no answer may have any fate but must
not be half-recorded. The counts are printed.
"""

import asyncio
import random
import time

import httpx
import pytest

pytestmark = [pytest.mark.drill, pytest.mark.timeout(900)]

CALLS = 1_000
CALLERS = 16
RECOVERY_SECONDS = 60
# What a kill storm may hit; the supervisor itself has its own test in deploy/local.
VICTIMS = (
    "gateway", "gateway-worker", "exchange", "exchange-worker", "identity", "nats", "postgres",
    "population-registry", "portal",
)  # fmt: skip


async def storm(platform, victims):
    """CALLS calls by CALLERS at a time, kills spread over them; answered message ids and losses."""
    answered, unanswered = {}, 0
    headers, url = platform.headers(), f"{platform.gateway}/r1/{platform.population['name']}"
    numbers = iter(range(CALLS))

    async def caller(client):
        nonlocal unanswered
        for number in numbers:
            try:
                answer = await client.get(f"{url}/residents?limit=1&n={number}", headers=headers)
                answered[answer.headers.get("sebalai-message-id", f"none-{number}")] = (
                    answer.status_code
                )
            except httpx.HTTPError:
                unanswered += 1
                await asyncio.sleep(0.3)  # as a client would, while the gateway comes back

    async def killer():
        for name in victims:
            await asyncio.sleep(random.uniform(0.1, 0.4))
            await asyncio.to_thread(platform.kill, name)

    async with httpx.AsyncClient(timeout=20) as client:
        killing = asyncio.create_task(killer())
        await asyncio.gather(*(caller(client) for _ in range(CALLERS)))
        await killing
    return answered, unanswered


async def journal(platform, ids):
    """Message ids among `ids` with a completed entry in the gateway's journal."""
    rows = await platform.rows(
        "gateway",
        "SELECT message_id::text AS id FROM journal WHERE phase = 'completed' "
        "AND message_id::text = ANY($1)",
        list(ids),
    )
    return {row["id"] for row in rows}


@pytest.mark.parametrize("victim", VICTIMS)
async def test_every_answered_call_is_journalled_and_provable(platform, victim):
    answered, unanswered = await storm(platform, [victim])
    platform.wait_until_well()
    named = {
        message_id: status for message_id, status in answered.items()
        if not message_id.startswith("none-") and status != 503
    }  # fmt: skip
    kept = await journal(platform, named)
    assert set(named) == kept, f"{len(set(named) - kept)} answered calls are not journalled"
    sample = random.sample(sorted(named), min(25, len(named)))
    for message_id in sample:
        receipt = platform.receipt(message_id, seconds=60)
        assert platform.verify(receipt).returncode == 0
    proven = await provable(platform, named)
    statuses = {status: list(answered.values()).count(status) for status in set(answered.values())}
    print(
        f"\ndrill {victim}: {len(answered)} answered {statuses}, {unanswered} unanswered, "
        f"{len(kept)} journalled, {proven} provable"
    )
    assert proven == len(named)


async def provable(platform, ids):
    """How many of the calls have a receipt, fetched each; waits while the ledger catches up."""
    headers = {"authorization": f"Bearer {platform.token()}"}
    until, missing = time.monotonic() + RECOVERY_SECONDS, set(ids)
    async with httpx.AsyncClient(timeout=20, headers=headers) as client:
        while missing and time.monotonic() < until:
            for message_id in list(missing):
                answer = await client.get(f"{platform.gateway}/receipts/{message_id}")
                if answer.status_code == 200:
                    missing.discard(message_id)
            if missing:
                await asyncio.sleep(0.5)
    return len(ids) - len(missing)


async def test_a_storm_of_kills_loses_nothing_that_was_answered(platform, kills):
    victims = [random.choice(VICTIMS) for _ in range(kills)]
    answered, unanswered = await storm(platform, victims)
    platform.wait_until_well()
    named = [i for i, status in answered.items() if not i.startswith("none-") and status != 503]
    kept = await journal(platform, named)
    proven = await provable(platform, named)
    print(
        f"\ndrill storm of {kills}: {len(answered)} answered, {unanswered} unanswered, "
        f"{len(kept)} journalled, {proven} provable"
    )
    assert (len(kept), proven) == (len(named), len(named))
