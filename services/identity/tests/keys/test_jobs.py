"""The key publisher with a real NATS: one stored value, also after a rotation and a lost bucket."""

import asyncio
import json

import pytest
from sebalai_identity.bucket import STREAM
from sebalai_identity.keys.actions import PUBLISHED_FOR, Ring
from sebalai_identity.keys.jobs import KeysPublisher
from sebalai_identity.keys.sealing import Sealer
from sebalai_shared.broker import ApiError, Broker

KV = "SNAPSHOTS"


@pytest.fixture
async def broker(settings):
    broker = Broker(settings)
    await broker.connect()
    yield broker
    await remove_bucket(broker)
    await broker.close()


async def remove_bucket(broker):
    try:
        await broker.api(f"STREAM.DELETE.{STREAM}")
    except ApiError as error:
        if error.code != 10059:
            raise


@pytest.fixture
def ring(clock):
    return Ring(Sealer(b"s" * 32), clock)


async def stored(broker):
    bucket = await broker.client.jetstream().key_value(KV)
    return json.loads((await bucket.get("jwks")).value)


async def rotate(database, ring):
    async with database.transaction() as session:
        return await ring.rotate(session)


async def test_gateway_reads_the_keys_where_any_client_finds_a_bucket(database, broker, ring):
    await remove_bucket(broker)
    publisher = KeysPublisher(database, broker, ring)
    assert await publisher.publish_once()
    first = await stored(broker)
    assert (first["version"], len(first["keys"])) == (1, 2)
    assert all("d" not in key for key in first["keys"])
    info = await broker.api(f"STREAM.INFO.{STREAM}")
    assert info["config"]["allow_direct"]


async def test_keys_are_put_only_when_they_changed(database, broker, ring, clock):
    publisher = KeysPublisher(database, broker, ring)
    assert await publisher.publish_once()
    assert not await publisher.publish_once()
    clock.move(PUBLISHED_FOR)
    kid = await rotate(database, ring)
    assert await publisher.publish_once()
    found = await stored(broker)
    assert found["version"] == 2
    assert kid in {key["kid"] for key in found["keys"]}


async def test_lost_bucket_is_made_and_filled_again(database, broker, ring):
    publisher = KeysPublisher(database, broker, ring)
    await publisher.publish_once()
    await remove_bucket(broker)
    await publisher._after_reconnect()
    assert await publisher.publish_once()
    assert (await stored(broker))["version"] == 1


async def test_publisher_beats_and_goes_on_while_nats_refuses(settings, database, ring):
    beats, seen = 0, asyncio.Event()

    def beat():
        nonlocal beats
        beats += 1
        if beats == 3:
            seen.set()

    closed = Broker(settings)
    await closed.connect()
    await closed.close()
    running = asyncio.create_task(KeysPublisher(database, closed, ring, beat).run())
    await seen.wait()
    assert not running.done()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
