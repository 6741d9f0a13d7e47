"""Pull under leases and server-sent events, over the API on a real database."""

import asyncio
import json

import pytest
from sebalai_exchange.deliveries import pulling
from sebalai_exchange.deliveries.jobs import forget_ended
from sebalai_exchange.publishing.sequencer import move
from sqlalchemy import text


@pytest.fixture
async def filled(bus):
    """A pull subscription and six events of two keys in the log."""
    await bus.describe()
    async with bus.running():
        made = await bus.subscribe()
        await bus.publish(*[bus.event(subject=f"k{n % 2}", data={"number": n}) for n in range(6)])

        async def numbered():
            async with bus.database.transaction() as session:
                return await session.scalar(text("SELECT pos FROM event_head")) == 6

        await bus.until(numbered)
    return made


def numbers(batch):
    return [one["event"]["data"]["number"] for one in batch["events"]]


async def pull(bus, made, **wanted):
    path = f"/v1/subscriptions/{made['id']}/pull"
    answer = await bus.ask("POST", path, bus.subscriber, json=wanted)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def ack(bus, made, batch, verb="ack", **more):
    path = f"/v1/subscriptions/{made['id']}/{verb}"
    return await bus.ask("POST", path, bus.subscriber, json={"lease": batch["lease"], **more})


async def test_a_subscriber_pulls_in_order_and_acknowledges(bus, filled):
    first = await pull(bus, filled, max=4)
    assert numbers(first) == [0, 1, 2, 3]
    assert (await ack(bus, filled, first)).json() == {"count": 4}
    second = await pull(bus, filled)
    assert numbers(second) == [4, 5]
    assert (await ack(bus, filled, second)).json() == {"count": 2}
    assert (await pull(bus, filled))["lease"] is None
    standing = await bus.read(filled["id"])
    assert (standing["lag"], standing["waiting"], standing["dead"]) == (0, 0, 0)


async def test_what_is_out_on_a_lease_holds_back_later_ones_of_its_key(bus, filled):
    first = await pull(bus, filled, max=1)
    assert numbers(first) == [0]
    assert numbers(await pull(bus, filled)) == [1, 3, 5]
    await ack(bus, filled, first)
    assert numbers(await pull(bus, filled)) == [2, 4]


async def test_what_is_not_acknowledged_comes_again_in_order(bus, filled):
    first = await pull(bus, filled, max=2)
    async with bus.database.transaction() as session:
        await session.execute(text("UPDATE delivery SET next_at = now() - interval '1 s'"))
    again = await pull(bus, filled, max=3)
    assert numbers(again) == [0, 1, 2]
    lost = await ack(bus, filled, first)
    assert (lost.status_code, lost.json()["type"]) == (409, "urn:sebalai:problem:lease-lost")
    assert (await ack(bus, filled, again)).json() == {"count": 3}


async def test_what_is_given_back_comes_again_and_its_key_waits(bus, filled):
    first = await pull(bus, filled, max=2)
    one = [first["events"][0]["event_id"]]
    assert (await ack(bus, filled, first, "nack", event_ids=one)).json() == {"count": 1}
    assert (await ack(bus, filled, first)).json() == {"count": 1}
    assert numbers(await pull(bus, filled)) == [3, 5]
    async with bus.database.transaction() as session:
        await session.execute(text("UPDATE delivery SET next_at = now() WHERE state = 'waiting'"))
    assert numbers(await pull(bus, filled)) == [0, 2, 4]


async def test_a_long_poll_answers_when_something_comes(bus, filled):
    await ack(bus, filled, await pull(bus, filled))
    async with bus.running():
        waiting = asyncio.create_task(pull(bus, filled, wait_seconds=20))
        await asyncio.sleep(0.1)
        await bus.publish(bus.event(data={"number": 7}))
        assert numbers(await waiting) == [7]


async def test_nobody_pulls_from_anothers_subscription(bus, filled):
    path = f"/v1/subscriptions/{filled['id']}/pull"
    answer = await bus.ask("POST", path, bus.publisher, json={})
    assert answer.status_code == 404


async def test_what_an_ended_subscription_had_open_is_forgotten_with_its_attempts(bus, filled):
    await pull(bus, filled, max=2)
    path = f"/v1/subscriptions/{filled['id']}/end"
    await bus.ask("POST", path, bus.subscriber, json={"reason": "sudah selesai"})

    async def left(age):
        async with bus.database.transaction() as session:
            change = "UPDATE subscription SET changed_at = now() - make_interval(days => :age)"
            await session.execute(text(change), {"age": age})
            await forget_ended(session)
            return await session.scalar(text("SELECT count(*) FROM delivery"))

    assert [await left(89), await left(91)] == [2, 0]


async def test_a_dead_key_leaves_room_for_the_others(bus, filled, monkeypatch):
    """However many of it wait behind the one that wants a decision."""
    monkeypatch.setattr(pulling, "OPEN_MAX", 3)
    await ack(bus, filled, await pull(bus, filled))
    await bus.publish(bus.event(subject="bad", data={"number": 10}))
    await number(bus)
    assert numbers(await pull(bus, filled)) == [10]
    async with bus.database.transaction() as session:
        await session.execute(text("UPDATE delivery SET state = 'dead', next_at = NULL"))
    await bus.publish(*(bus.event(subject="bad", data={"number": n}) for n in range(11, 16)))
    await number(bus)
    assert numbers(await pull(bus, filled)) == []
    await bus.publish(bus.event(subject="good", data={"number": 16}))
    await number(bus)
    assert numbers(await pull(bus, filled)) == [16]
    await bus.ask(
        "POST", f"/v1/subscriptions/{filled['id']}/skip", bus.subscriber, json={"reason": "rusak"}
    )
    assert numbers(await pull(bus, filled)) == [11, 12, 13, 14, 15]


async def number(bus):
    async with bus.database.engine.connect() as connection:
        raw = await connection.get_raw_connection()
        await move(raw.driver_connection)


async def frames(bus, made, count, **more):
    """The first `count` events of a stream, as (id, event)."""
    stream = bus.app.state
    assert stream.hub is not None
    path = f"/v1/subscriptions/{made['id']}/stream"
    found = []
    headers = bus.settings._asserter.headers(bus.subscriber, "exchange") | more.pop("headers", {})
    async for chunk in bus.stream(path, headers):
        for frame in chunk.decode().split("\n\n"):
            lines = dict(line.split(": ", 1) for line in frame.splitlines() if ": " in line)
            if "data" in lines:
                found.append((int(lines["id"]), json.loads(lines["data"])))
        if len(found) >= count:
            return found
    return found


async def test_a_stream_resumes_behind_the_last_event_id(bus, filled):
    made = await bus.subscribe(kind="sse", start={"position": 0})
    found = await frames(bus, made, 6)
    assert [pos for pos, _ in found] == [1, 2, 3, 4, 5, 6]
    again = await frames(bus, made, 2, headers={"Last-Event-ID": "4"})
    assert [event["data"]["number"] for _, event in again] == [4, 5]


async def test_a_stream_goes_on_although_its_client_is_ahead_of_a_restored_log(bus, filled):
    made = await bus.subscribe(kind="sse")
    async with bus.running():
        reading = asyncio.create_task(frames(bus, made, 1, headers={"Last-Event-ID": "900"}))
        await bus.until(lambda: bus.app.state.hub.tail.last == 6)
        await asyncio.sleep(0.1)
        await bus.publish(bus.event(data={"number": 8}))
        async with asyncio.timeout(8):
            ((pos, _),) = await reading
    assert pos == 7


async def test_a_stream_tells_what_is_published_while_it_is_open(bus, filled):
    made = await bus.subscribe(kind="sse")
    async with bus.running():
        reading = asyncio.create_task(frames(bus, made, 1))
        await asyncio.sleep(0.1)
        await bus.publish(bus.event(data={"number": 8}))
        ((pos, event),) = await reading
    assert (pos, event["data"]["number"]) == (7, 8)


async def lose_right(bus):
    """From now on the type is for those with an agreement, and there is none."""
    async with bus.database.transaction() as session:
        await session.execute(text("UPDATE topic SET access = 'operator'"))


async def test_nothing_is_given_out_again_once_the_right_is_lost(bus, filled):
    await pull(bus, filled, max=1)
    await pull(bus, filled)
    await lose_right(bus)
    async with bus.database.transaction() as session:
        await session.execute(text("UPDATE delivery SET next_at = now() - interval '1 s'"))
    path = f"/v1/subscriptions/{filled['id']}/pull"
    answer = await bus.ask("POST", path, bus.subscriber, json={})
    assert answer.status_code == 403, answer.text
    assert answer.json()["type"] == "urn:sebalai:problem:nothing-to-hear"


async def test_a_right_that_comes_back_finds_the_place_where_it_was(bus, filled):
    await lose_right(bus)
    await bus.ask("POST", f"/v1/subscriptions/{filled['id']}/pull", bus.subscriber, json={})
    async with bus.database.transaction() as session:
        await session.execute(text("UPDATE topic SET access = 'open'"))
    assert numbers(await pull(bus, filled)) == [0, 1, 2, 3, 4, 5]


async def test_what_may_no_longer_be_heard_wants_a_decision(bus, filled):
    other = "dp3acskb.death.recorded.v1"
    await bus.describe(type=other)
    made = await bus.subscribe(types=["dp3acskb.*"], start={"position": 0})
    first = await pull(bus, made, max=2)
    assert numbers(first) == [0, 1]
    async with bus.database.transaction() as session:
        query = "UPDATE topic SET access = 'operator' WHERE type <> :other"
        await session.execute(text(query), {"other": other})
        await session.execute(text("UPDATE delivery SET next_at = now() - interval '1 s'"))
    assert numbers(await pull(bus, made)) == []
    standing = await bus.read(made["id"])
    assert (standing["waiting"], standing["held"], standing["dead"]) == (0, 0, 2)
