"""What a large routing table costs: `python tests/load/table.py [agreements] [interfaces]`.

Fills a database of its own, compiles as exchange does, builds and changes as a gateway worker does,
and prints times, sizes and memory. Needs `SEBALAI_DATABASE_URL` of an empty exchange database.
"""

# ruff: noqa: S608 - the statements are its own
import asyncio
import gc
import os
import statistics
import sys
import time
from datetime import UTC, datetime

import psutil
from joserfc import jws
from joserfc.jwk import ECKey
from sebalai_exchange.routes.actions import RouteCompiler
from sebalai_exchange.routes.compile import RouteSigner
from sebalai_gateway.admission.token import Claims
from sebalai_gateway.routing.feed import unpack
from sebalai_gateway.routing.feeds import _LargeRegistry
from sebalai_gateway.routing.paths import parse
from sebalai_gateway.routing.table import Table
from sebalai_shared.clock import SystemClock
from sebalai_shared.database import Database
from sebalai_shared.settings import MemberSettings
from sqlalchemy import text

AGREEMENTS = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
INTERFACES = int(sys.argv[2]) if len(sys.argv) > 2 else 2_000
DECISIONS = 20_000
CHANGES = 50


async def fill(database):
    async with database.transaction() as session:
        await session.execute(text("SET LOCAL statement_timeout = 0"))
        connection = await session.connection()
        for statement in (
            "ALTER TABLE agreement DISABLE TRIGGER ALL",
            "ALTER TABLE interface DISABLE TRIGGER ALL",
            f"INSERT INTO contract VALUES ('{'0' * 64}', '{{}}', now())",
            f"""INSERT INTO interface (id, name, title, provider, agency, addresses,
                contract_sha256, state, connect_timeout_ms, read_timeout_ms, total_timeout_ms,
                max_request_bytes, published_at, changed_at, route_version)
            SELECT gen_random_uuid(), 'ID-BB/GOV/agency-' || i % 60 || '/app/interface-' || i,
                i::text,
                'ID-BB/GOV/agency-' || i % 60 || '/app', 'agency-' || i % 60, '{{http://10.0.0.1}}',
                '{"0" * 64}', 'active', 2000, 10000, 30000, 1000000, now(), now(), 1
            FROM generate_series(0, {INTERFACES - 1}) i""",
            f"""INSERT INTO agreement (id, series, consumer, interface_id, interface, provider,
                rules, purposes, data_categories, valid_from, valid_until, quota_per_day,
                rate_per_second, burst, state, requested_by, requested_at, granted_by, granted_at,
                changed_by, changed_at)
            SELECT n.id, n.id, 'ID-BB/GOV/agency-' || n.i % 60 || '/consumer-' || n.i / {INTERFACES},
                f.id, f.name, f.provider, jsonb_build_array(
                  jsonb_build_object('id', 'r1', 'method', 'GET', 'path', '/residents/*'),
                  jsonb_build_object('id', 'r2', 'method', 'POST', 'path', '/search-' || n.i % 500)),
                jsonb_build_array(jsonb_build_object('code', 'purpose-' || n.i % 90,
                  'legal_basis', 'Peraturan ' || n.i % 900 || ' pasal 12')),
                '{{}}', now(), now() + interval '1 year', 100000, 50, 100, 'granted', 'a', now(),
                'b', now(), 'b', now()
            FROM (SELECT i, gen_random_uuid() AS id FROM generate_series(0, {AGREEMENTS - 1}) i) n
            JOIN interface f ON f.title = (n.i % {INTERFACES})::text""",
            "ALTER TABLE agreement ENABLE TRIGGER ALL",
            "ALTER TABLE interface ENABLE TRIGGER ALL",
            "UPDATE routes_version SET version = version + 1",
        ):
            await connection.exec_driver_sql(statement)
    async with database.engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text("ANALYZE"))


def payload(copy, key):
    signed = jws.deserialize_compact(copy, key, registry=_LargeRegistry(algorithms=["ES256"]))
    return unpack(signed.payload) if signed.headers().get("cty") else signed.payload


def resident_mib():
    gc.collect()
    return psutil.Process().memory_info().rss / 2**20


async def main():
    database = Database(MemberSettings(database_url=os.environ["SEBALAI_DATABASE_URL"]))
    key = ECKey.generate_key("P-256", auto_kid=True)
    compiler = RouteCompiler(RouteSigner(key), SystemClock(), "ID-BB")
    await fill(database)
    began = time.perf_counter()
    async with database.transaction() as session:
        whole = await compiler.newer_than(session, 0)
    print(f"{AGREEMENTS} agreements, {INTERFACES} interfaces")
    print(
        f"exchange compiles the whole: {time.perf_counter() - began:.2f} s, {len(whole.jws) / 2**20:.1f} MiB signed"
    )
    before = resident_mib()
    began = time.perf_counter()
    table = Table.build(payload(whole.jws.encode(), key))
    print(
        f"gateway takes the whole: {time.perf_counter() - began:.2f} s, +{resident_mib() - before:.0f} MiB, {resident_mib():.0f} MiB resident with exchange's code"
    )
    async with database.transaction() as session:
        row = (
            await session.execute(
                text(
                    "SELECT id, consumer, interface FROM agreement WHERE purposes->0->>'code' = 'purpose-0' LIMIT 1"
                )
            )
        ).one()
    claims = Claims(
        iss="i",
        aud="a",
        sub="s",
        client_id="c",
        jti="j",
        exp=1,
        iat=0,
        kind="system",
        agency="a",
        application=row.consumer,
    )
    target = parse(f"/r1/{row.interface}/residents/12".encode())
    now = datetime.now(UTC).timestamp()
    table.decide(claims, target, "GET", "purpose-0", now)
    took, applied = [], []
    for number in range(CHANGES):
        async with database.transaction() as session:
            await session.execute(
                text("UPDATE agreement SET state = :state WHERE id = :id"),
                {"state": "suspended" if number % 2 == 0 else "granted", "id": row.id},
            )
        began = time.perf_counter()
        async with database.transaction() as session:
            change = await compiler.newer_than(session, table.version)
        middle = time.perf_counter()
        table.apply(payload(change.jws.encode(), key))
        took.append((middle - began) * 1e3)
        applied.append((time.perf_counter() - middle) * 1e3)
    print(
        f"a change: exchange {statistics.median(took):.1f} ms (max {max(took):.1f}), gateway {statistics.median(applied):.2f} ms (max {max(applied):.2f}), {len(change.jws)} bytes"
    )
    small = Table.build(b'{"version":1,"instance":"ID-BB","interfaces":[],"agreements":[]}')
    small._interfaces[row.interface] = table._interfaces[row.interface]
    small._put(table._agreements[str(row.id)])
    for name, one in (("one agreement", small), ("the whole table", table)) * 2:
        grant = one._grants[row.consumer, row.interface][0]
        grant.compiled().bucket.adjust(1e9, 10**9)
        grant.compiled().bucket._left = 1e9
        print(f"a decision with {name}: {measure(one, claims, target, now):.2f} us")
    await database.close()


def measure(table, claims, target, now):
    times = []
    for _ in range(7):
        began = time.perf_counter()
        for _ in range(DECISIONS):
            table.decide(claims, target, "GET", "purpose-0", now)
        times.append((time.perf_counter() - began) / DECISIONS * 1e6)
    return statistics.median(times)


if __name__ == "__main__":
    asyncio.run(main())
