"""Other filters for a subscription that is there: from when they hold, and for which events."""

from sqlalchemy import text

from services.exchange.tests.deliveries.test_sql_filters import keep
from services.exchange.tests.deliveries.test_streams import Reading, numbering

CALM = [{"sql": "NOT (EXISTS urgent)"}]
URGENT = [{"sql": "EXISTS urgent"}]


async def refilter(bus, made, filters):
    path = f"/v1/subscriptions/{made['id']}"
    answer = await bus.ask("PATCH", path, bus.subscriber, json={"filters": filters})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def until_looked(bus, receiver):
    """The dispatcher asks a new address while it looks everything up: what was changed before that
    is known to it.
    """
    other = await bus.subscribe(receiver.url("/good/other"), types=["dp3acskb.birth.*"])
    await bus.until_active(other["id"])


def numbers(events):
    return [event["data"]["number"] for event in events]


def told(bus, *urgents):
    """One of one key each."""
    return [bus.event(subject="family-1", **({"urgent": True} if one else {})) for one in urgents]


async def test_a_webhook_hears_by_its_new_filters_without_being_asked_again(bus, receiver):
    await bus.describe()
    async with bus.running():
        made = await bus.subscribe(receiver.url("/good/a"), filters=CALM)
        await bus.until_active(made["id"])
        await bus.publish(*told(bus, False, True))
        await bus.until(lambda: numbers(receiver.got["/good/a"]) == [1])
        changed = await refilter(bus, made, URGENT)
        assert (changed["state"], changed["filters"]) == ("active", URGENT)
        await until_looked(bus, receiver)
        await bus.publish(*told(bus, False, True))
        await bus.until(lambda: numbers(receiver.got["/good/a"]) == [1, 4])
        await refilter(bus, made, [])
        await until_looked(bus, receiver)
        await bus.publish(*told(bus, False, True))
        await bus.until(lambda: numbers(receiver.got["/good/a"]) == [1, 4, 5, 6])
    assert len(receiver.handshakes) == 3


async def test_what_was_tried_comes_again_and_what_was_not_is_chosen_anew(bus, receiver):
    receiver.holds = lambda path: path == "/good/a"
    await bus.describe()
    async with bus.running():
        made = await bus.subscribe(receiver.url("/good/a"), filters=CALM)
        await bus.until_active(made["id"])
        await bus.publish(*told(bus, False, False))
        await bus.until(lambda: receiver.held == 1)
        await refilter(bus, made, URGENT)
        await until_looked(bus, receiver)
        receiver.release.set()
        await bus.publish(*told(bus, True))
        await bus.until(lambda: numbers(receiver.got["/good/a"]) == [1, 3])
    assert (await bus.read(made["id"]))["dead"] == 0


async def test_what_waits_for_another_try_is_sent_whatever_the_filters_say_now(bus, receiver):
    receiver.fails = lambda path, _: 500 if path == "/good/a" else 0
    await bus.describe()
    async with bus.running():
        made = await bus.subscribe(receiver.url("/good/a"), filters=CALM)
        await bus.until_active(made["id"])
        await bus.publish(*told(bus, False, False))

        async def waits():
            return (await bus.read(made["id"]))["held"] == 1

        await bus.until(waits)
        await refilter(bus, made, URGENT)
    receiver.fails = lambda *_: 0
    async with bus.database.transaction() as session:
        await session.execute(text("UPDATE delivery SET next_at = now()"))
    async with bus.running():
        await bus.publish(*told(bus, True, False))
        await bus.until(lambda: numbers(receiver.got["/good/a"]) == [1, 2, 3])
    assert (await bus.read(made["id"]))["dead"] == 0


async def test_what_was_given_out_once_is_given_out_until_it_is_done(bus):
    await bus.describe()
    async with numbering(bus):
        made = await bus.subscribe(filters=CALM)
        path = f"/v1/subscriptions/{made['id']}"
        await bus.publish(*told(bus, False, True))

        async def pulled():
            batch = (await bus.ask("POST", f"{path}/pull", bus.subscriber, json={})).json()
            return batch if batch["events"] else None

        batch = await bus.until(pulled)
        await bus.ask("POST", f"{path}/nack", bus.subscriber, json={"lease": batch["lease"]})
        await refilter(bus, made, URGENT)
        await bus.publish(*told(bus, False, True))
        found = []
        while len(found) < 2:
            batch = await bus.until(pulled)
            found += numbers(one["event"] for one in batch["events"])
            await bus.ask("POST", f"{path}/ack", bus.subscriber, json={"lease": batch["lease"]})
    assert found == [1, 4]


async def test_an_open_stream_goes_on_with_the_new_filters(bus):
    await bus.describe()
    made = await bus.subscribe(kind="sse", filters=CALM)
    async with numbering(bus), Reading(bus, made) as stream:
        await bus.publish(*told(bus, False))
        await bus.until(lambda: stream.heard == 1)
        await refilter(bus, made, URGENT)

        async def hears_the_new():
            await bus.publish(*told(bus, True))
            return stream.heard > 1

        await bus.until(hears_the_new)
        heard = stream.heard
        await bus.publish(*told(bus, False, True))
        await bus.until(lambda: stream.heard > heard)
        assert not stream.ended
        urgent = [chunk for chunk in stream.chunks if '"urgent"' in chunk]
        assert sum(chunk.count("\ndata: ") for chunk in urgent) == stream.heard - 1


async def test_filters_that_were_read_no_more_are_mended_where_they_stood(bus, receiver):
    await bus.describe()
    made = await bus.subscribe(receiver.url("/good/a"), filters=CALM)
    await keep(bus, made["id"], "EXISTS id AND EXISTS number OR EXISTS urgent")
    async with bus.running():
        await bus.until_active(made["id"])
        await bus.publish(*told(bus, False, True))
        await until_looked(bus, receiver)
        assert (await bus.read(made["id"]))["reason"] is not None
        assert (await refilter(bus, made, URGENT))["reason"] is None
        await bus.until(lambda: numbers(receiver.got["/good/a"]) == [2])
