"""What is revoked reaches every reader by cursor, whatever else the database is doing."""

import asyncio
import json
from datetime import timedelta

import pytest
from sebalai_identity.bucket import STREAM
from sebalai_identity.revocations import model
from sebalai_identity.revocations.actions import is_revoked, revocations_since, revoke
from sebalai_identity.revocations.jobs import RevocationsBell
from sebalai_shared.broker import Broker
from sqlalchemy import text

PATIENCE_SECONDS = 15


async def revoked(database, clock, value, kind="sub"):
    async with database.transaction() as session:
        await revoke(session, clock, kind=kind, value=value, reason="test")


async def since(database, clock, after):
    async with database.transaction() as session:
        return await revocations_since(session, clock, after=after)


@pytest.fixture
async def kept(committed):
    yield committed
    async with committed.transaction() as session:
        await session.execute(text("TRUNCATE revocation"))


async def test_gateway_alone_reads_the_feed(call, gateway, operator):
    for caller in (None, operator):
        assert (await call("GET", "/internal/revocations", caller)).status_code == 403
    first = (await call("GET", "/internal/revocations", gateway)).json()
    assert (first["entries"], first["whole"]) == ([], True)
    again = await call("GET", "/internal/revocations", gateway, params={"after": first["version"]})
    assert (again.status_code, again.content) == (304, b"")
    for bad in (-1, "x", 2**63):
        found = await call("GET", "/internal/revocations", gateway, params={"after": bad})
        assert found.status_code == 422


async def test_reader_gets_what_came_since_its_cursor(kept, clock):
    await revoked(kept, clock, "a")
    first = await since(kept, clock, 0)
    now = int(clock.now().timestamp())
    assert first.entries == (("sub.a", now + 3, now + 360),)
    assert first.is_whole
    assert await since(kept, clock, first.version) is None
    await revoked(kept, clock, "b", "sid")
    second = await since(kept, clock, first.version)
    assert [entry[0] for entry in second.entries] == ["sid.b"]
    assert not second.is_whole


async def test_revocation_that_commits_late_is_not_passed_over(kept, clock):
    async with kept.transaction() as slow:
        await revoke(slow, clock, kind="sub", value="slow", reason="test")
        await revoked(kept, clock, "quick")
        early = await since(kept, clock, 0)
        # The open transaction holds nobody up ...
        assert [entry[0] for entry in early.entries] == ["sub.quick"]
    # ... and is told when it commits, although others were told before.
    late = await since(kept, clock, early.version)
    assert "sub.slow" in [entry[0] for entry in late.entries]


async def test_revocation_rolls_back_with_its_cause(kept, clock):
    async with kept.transaction() as session:
        await revoke(session, clock, kind="sub", value="a", reason="test")
        await session.rollback()
    assert (await since(kept, clock, 0)).entries == ()


async def test_cursor_of_another_database_gets_everything(kept, clock):
    await revoked(kept, clock, "a")
    found = await since(kept, clock, 2**62)
    assert (found.is_whole, len(found.entries)) == (True, 1)


async def test_revocation_is_told_no_longer_than_a_token_lives(kept, clock):
    await revoked(kept, clock, "a")
    clock.move(timedelta(seconds=361))
    assert (await since(kept, clock, 0)).entries == ()


async def test_more_than_one_answer_holds_comes_in_several(kept, clock, monkeypatch):
    monkeypatch.setattr("sebalai_identity.revocations.actions.ROWS_MAX", 2)
    monkeypatch.setattr("sebalai_identity.revocations.store.ROWS_MAX", 2)
    for number in range(5):
        await revoked(kept, clock, str(number))
    told, cursor = set(), 0
    for _ in range(6):
        found = await since(kept, clock, cursor)
        if found is None:
            break
        told |= {entry[0] for entry in found.entries}
        cursor = found.version
    assert told == {f"sub.{number}" for number in range(5)}


async def test_none_is_passed_over_where_transaction_ids_grow_a_digit(kept, clock, monkeypatch):
    # Sorted as text, 1000 stood before 999: an answer cut off there skipped what came before.
    monkeypatch.setattr("sebalai_identity.revocations.actions.ROWS_MAX", 1)
    monkeypatch.setattr("sebalai_identity.revocations.store.ROWS_MAX", 1)
    for xid in ("9", "10", "100"):
        await revoked(kept, clock, xid)
        async with kept.transaction() as session:
            change = text(
                "UPDATE revocation SET xid = CAST(CAST(:xid AS text) AS xid8) WHERE key = :key"
            )
            await session.execute(change, {"xid": xid, "key": f"sub.{xid}"})
    told, cursor = [], 0
    while (found := await since(kept, clock, cursor)) is not None and found.entries:
        told += [entry[0] for entry in found.entries]
        cursor = found.version
    assert told == ["sub.9", "sub.10", "sub.100"]


@pytest.mark.parametrize(
    ("kind", "claim"),
    [
        ("jti", "jti"),
        ("jti", "rjti"),
        ("sid", "sid"),
        ("sub", "sub"),
        ("cli", "client_id"),
        ("pst", "posting"),
    ],
)
async def test_identity_itself_refuses_what_it_revoked(database, clock, kind, claim):
    await revoked(database, clock, "x", kind)
    now = int(clock.now().timestamp())
    async with database.transaction() as session:
        assert await is_revoked(session, {"iat": now + 2, claim: "x"})
        # A grant and a session never come to life again; a person, client or posting may.
        is_for_good = kind in {"jti", "sid"}
        assert await is_revoked(session, {"iat": now + 3, claim: "x"}) is is_for_good
        assert not await is_revoked(session, {"iat": now, claim: "y"})


async def test_suspended_application_ends_its_tokens(call, registered, operator, gateway):
    path = f"/v1/applications/{registered['id']}/suspend"
    assert (await call("POST", path, operator, json={"reason": "lost key"})).status_code == 200
    feed = (await call("GET", "/internal/revocations", gateway)).json()
    assert [entry[0] for entry in feed["entries"]] == [f"cli.{registered['client_id']}"]


async def test_bell_rings_at_gateways_when_a_revocation_commits(kept, settings, clock):
    broker = Broker(settings)
    await broker.connect()
    heard = asyncio.Queue()

    async def hear(message):
        heard.put_nowait(json.loads(message.data))

    await broker.client.subscribe("$KV.SNAPSHOTS.revoked", cb=hear)
    bell = asyncio.create_task(RevocationsBell(settings.database_dsn(), broker).run())
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while heard.empty():
                # Until the bell's own connection listens, a revocation rings nowhere.
                await revoked(kept, clock, "a")
                await asyncio.sleep(0.1)
            assert (await heard.get()).keys() == {"version"}
    finally:
        bell.cancel()
        await asyncio.gather(bell, return_exceptions=True)
        await broker.api(f"STREAM.DELETE.{STREAM}")
        await broker.close()


def test_a_revocation_lives_longer_than_any_token():
    assert timedelta(seconds=300) < model.KEPT <= model.REVOCATIONS.reach
