"""What a consumer is told of its limits, and that a restart forgives none of them."""

import re

from sebalai_gateway.database import Pool
from sebalai_gateway.quotas.leases import Quotas, Terms

LIMITS = r'"day";r=(\d+);t=\d+, "month";r=(\d+);t=(\d+)'


async def test_answers_tell_the_limits_and_what_is_left(bus, provider):
    left = []
    for _ in range(3):
        async with bus.call(interface="sedikit") as answer:
            assert answer.status == 200
            policy = answer.headers["RateLimit-Policy"]
            left.append(answer.headers["RateLimit"].split(";")[1])
    assert policy == '"rate";q=1000;w=1, "day";q=3;w=86400'
    assert left == ["r=2", "r=1", "r=0"]
    async with bus.call(interface="sedikit") as answer:
        problem = await answer.json(content_type=None)
        assert answer.status == 429
        assert problem["type"].endswith("quota-exceeded")
        assert 0 < int(answer.headers["Retry-After"]) <= 86_401
    assert len(provider.seen) == 3
    record = await bus.record(problem["message_id"])
    assert (record["outcome"], record["problem"]) == ("refused", "quota-exceeded")


async def test_quota_of_the_month_is_told_and_kept(bus, provider):
    bus.offer("bulanan", provider.url)
    bus.bind("bulanan", quota_per_month=2)
    left = []
    for _ in range(2):
        async with bus.call(interface="bulanan") as answer:
            assert answer.status == 200
            assert '"month";q=2;w=2678400' in answer.headers["RateLimit-Policy"]
            left.append(re.fullmatch(LIMITS, answer.headers["RateLimit"]).groups())
    assert [month for _, month, _ in left] == ["1", "0"]
    assert all(0 < int(ends) <= 31 * 86_400 for _, _, ends in left)
    async with bus.call(interface="bulanan") as answer:
        assert answer.status == 429
        assert 0 < int(answer.headers["Retry-After"]) <= 31 * 86_400 + 1
    assert len(provider.seen) == 2


async def test_agreement_whose_quota_is_used_up_gives_way_to_another(bus, provider):
    served = []
    for _ in range(3):
        async with bus.call(interface="bersama") as answer:
            assert answer.status == 200
        record = await bus.record(answer.headers["Sebalai-Message-Id"])
        served.append(record["agreement"])
    assert served == ["agreement-bersama"] * 2 + ["agreement-kedua"]
    async with bus.call(interface="bersama") as answer:
        assert answer.status == 429
        assert (await answer.json(content_type=None))["type"].endswith("quota-exceeded")
    assert len(provider.seen) == 3


async def test_what_another_gateway_used_counts_here(bus, provider, journal_url, database):
    pool = Pool(journal_url)
    other = Quotas(pool)
    async with bus.call(interface="sedikit") as answer:
        assert answer.status == 200
    now = await database.fetchval("SELECT now()")
    key = ("agreement-sedikit", "ID-BB/GOV/dinsos-pmd/bansos")
    for _ in range(2):
        await other.take(Terms(key, 3, None), now)
    async with bus.call(interface="sedikit") as answer:
        assert answer.status == 429
    await pool.close()
    assert len(provider.seen) == 1


async def test_without_the_store_of_quotas_nothing_is_forwarded(bus, provider, database):
    await database.execute("ALTER TABLE quota_use RENAME TO quota_gone")
    try:
        async with bus.call(interface="sedikit") as answer:
            assert answer.status == 503
    finally:
        await database.execute("ALTER TABLE quota_gone RENAME TO quota_use")
    assert provider.seen == []
