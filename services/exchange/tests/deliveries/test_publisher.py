"""Every delivered event names who published it, by the bus's word and never the publisher's."""

import json

import pytest
from sqlalchemy import text

from services.exchange.tests.deliveries.conftest import PUBLISHER
from services.exchange.tests.deliveries.test_streams import Reading


async def one_by_pull(bus, made):
    path = f"/v1/subscriptions/{made['id']}/pull"
    (one,) = (await bus.ask("POST", path, bus.subscriber, json={})).json()["events"]
    return one["event"]


async def test_every_kind_of_delivery_names_the_publisher(bus, receiver):
    await bus.describe()
    async with bus.running():
        hook = await bus.subscribe(receiver.url("/good/a"))
        await bus.until_active(hook["id"])
        pulled, streamed = await bus.subscribe(), await bus.subscribe(kind="sse")
        async with Reading(bus, streamed) as stream:
            await bus.publish(bus.event())
            await bus.until(lambda: receiver.got["/good/a"] and stream.heard)
    told = next(chunk for chunk in stream.chunks if "\ndata: " in chunk)
    by_stream = json.loads(told.partition("data: ")[2])
    by_pull = await one_by_pull(bus, pulled)
    for event in (receiver.got["/good/a"][0], by_pull, by_stream):
        assert event["publisher"] == PUBLISHER


async def test_a_subscriber_may_ask_for_one_publishers_events(bus):
    await bus.describe()
    heard = await bus.subscribe(filters=[{"sql": f"publisher = '{PUBLISHER}'"}])
    other = await bus.subscribe(filters=[{"sql": "publisher LIKE '%/dinkes/%'"}])
    async with bus.running():
        await bus.publish(bus.event())

        async def numbered():
            async with bus.database.transaction() as session:
                return await session.scalar(text("SELECT pos FROM event_head")) == 1

        await bus.until(numbered)
    assert (await one_by_pull(bus, heard))["publisher"] == PUBLISHER
    path = f"/v1/subscriptions/{other['id']}/pull"
    assert (await bus.ask("POST", path, bus.subscriber, json={})).json()["events"] == []


@pytest.mark.parametrize("data", [{"number": 1}, {"number": 1, "publisher": "in the data"}])
async def test_what_an_older_event_said_of_its_publisher_is_not_delivered(bus, data):
    await bus.describe()
    made = await bus.subscribe()
    async with bus.running():
        await bus.publish(bus.event(data={"number": 1}))

        async def forged():
            document = (
                "jsonb_set(document::jsonb || '{\"publisher\": \"forged\"}', '{data}', :data)"
            )
            query = text(f"UPDATE event SET document = {document}::text")  # noqa: S608 - made here
            async with bus.database.transaction() as session:
                found = await session.execute(query, {"data": json.dumps(data)})
                return found.rowcount == 1

        await bus.until(forged)
    event = await one_by_pull(bus, made)
    assert (event["publisher"], event["data"]) == (PUBLISHER, data)


async def test_the_stream_of_direct_subscribers_names_the_publisher(bus):
    await bus.describe()
    await bus.publish(bus.event())
    async with bus.database.transaction() as session:
        query = text(
            "SELECT document->>'publisher' FROM outbox WHERE document->>'type' LIKE 'dp3%'"
        )
        assert (await session.scalars(query)).all() == [PUBLISHER]
