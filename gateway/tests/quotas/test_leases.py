"""One count for all gateways: never exceeded, never forgiven by a restart."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sebalai_gateway.database import Pool
from sebalai_gateway.quotas.leases import Left, QuotaExceeded, Quotas, Terms

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
KEY = ("series", "ID-BB/GOV/dinsos-pmd/bansos")


@pytest.fixture
async def pool(journal_url):
    made = Pool(journal_url)
    yield made
    await made.close()


async def use_up(quotas, terms, now=NOW):
    """How many calls are let through until the quota is said to be used up."""
    count = 0
    while True:
        try:
            await quotas.take(terms, now)
        except QuotaExceeded as refused:
            return count, refused.seconds
        count += 1


async def used(database, period="2026-11-24"):
    return await database.fetchval("SELECT used FROM quota_use WHERE period = $1", period)


@pytest.mark.parametrize("per_day", [0, 1, 7, 250])
async def test_exactly_the_quota_is_let_through(pool, per_day):
    count, seconds = await use_up(Quotas(pool), Terms(KEY, per_day, None))
    assert count == per_day
    assert seconds == 16 * 3_600 + 1


async def test_several_gateways_at_once_never_exceed_it_together(pool, database):
    terms, gateways = Terms(KEY, 300, None), [Quotas(pool) for _ in range(4)]
    counts = await asyncio.gather(*(use_up(gateway, terms) for gateway in gateways))
    assert sum(count for count, _ in counts) == 300
    assert await used(database) == 300


async def test_concurrent_calls_at_one_gateway_never_exceed_it(pool):
    quotas, terms = Quotas(pool), Terms(KEY, 40, None)
    found = await asyncio.gather(
        *(quotas.take(terms, NOW) for _ in range(100)), return_exceptions=True
    )
    assert sum(isinstance(one, Left) for one in found) == 40


async def test_killed_gateway_forgives_nothing_and_a_closed_one_gives_back(pool, database):
    terms = Terms(KEY, 1_000, None)
    killed, closed = Quotas(pool), Quotas(pool)
    await killed.take(terms, NOW)
    assert await used(database) == 10
    await closed.take(terms, NOW)
    await closed.close()
    assert await used(database) == 11
    count, _ = await use_up(Quotas(pool), terms)
    assert count == 1_000 - 11


async def test_month_bounds_the_days_and_a_new_day_or_month_begins_anew(pool):
    terms = Terms(KEY, 6, 10)
    assert await use_up(Quotas(pool), terms) == (6, 16 * 3_600 + 1)
    tomorrow = NOW + timedelta(days=1)
    count, seconds = await use_up(Quotas(pool), terms, tomorrow)
    assert (count, seconds) == (4, 5 * 86_400 + 16 * 3_600 + 1)
    assert (await use_up(Quotas(pool), terms, NOW + timedelta(days=7)))[0] == 6


async def test_each_consumer_and_series_has_its_own(pool):
    quotas = Quotas(pool)
    for key in (KEY, ("series", "other"), ("other", KEY[1])):
        assert (await use_up(quotas, Terms(key, 5, None)))[0] == 5


async def test_one_over_the_quota_does_not_make_the_database_work(pool, database):
    quotas, terms = Quotas(pool), Terms(KEY, 2, None)
    await use_up(quotas, terms)
    await database.execute("UPDATE quota_use SET used = 0")
    assert (await use_up(quotas, terms))[0] == 0


async def test_raised_quota_counts_from_what_was_used(pool):
    quotas = Quotas(pool)
    await use_up(quotas, Terms(KEY, 5, None))
    quotas._leases[KEY].asked_at = float("-inf")
    assert (await use_up(quotas, Terms(KEY, 8, None)))[0] == 3


async def test_what_is_at_hand_is_counted_and_is_of_its_own_day_alone(pool):
    quotas, terms = Quotas(pool), Terms(KEY, 1_000, None)
    at = NOW.timestamp()
    assert quotas.at_hand(KEY, 1_000, at) is None
    left = (await quotas.take(terms, NOW)).day
    taken = [quotas.at_hand(KEY, 1_000, at).day for _ in range(3)]
    assert taken == [left - 1, left - 2, left - 3]
    for other in (at - 86_400, at + 86_400):
        assert quotas.at_hand(KEY, 1_000, other) is None
    assert await quotas.take(terms, NOW) == (left - 4, 0, 0.0)
    await quotas.close()


async def test_what_is_left_of_yesterday_is_not_had_while_todays_is_asked_for(pool):
    quotas, terms = Quotas(pool), Terms(KEY, 1_000, None)
    await quotas.take(terms, NOW)
    tomorrow, run, found = NOW + timedelta(days=1), quotas._run, []

    async def meanwhile(*asked):
        found.append(quotas.at_hand(KEY, 1_000, tomorrow.timestamp()))
        return await run(*asked)

    quotas._run = meanwhile
    await quotas.take(terms, tomorrow)
    assert found == [None, None]
    quotas._run = run
    await quotas.close()
