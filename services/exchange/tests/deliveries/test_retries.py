"""A subscriber's own schedule of retries: given, shown, changed, and kept to."""

from datetime import timedelta

import pytest
from sqlalchemy import text

OWN = {"pauses_seconds": [60, 3_600], "days": 7}
BUS = [5, 30, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]


async def patch(bus, made, **change):
    path = f"/v1/subscriptions/{made['id']}"
    return await bus.ask("PATCH", path, bus.subscriber, json=change)


async def test_a_schedule_is_given_shown_changed_and_taken_back(bus, receiver):
    await bus.describe()
    made = await bus.subscribe(receiver.url("/good/a"), retries=OWN)
    assert made["retries"] == OWN | {"is_own": True}
    assert (await bus.subscribe())["retries"] is None
    kept = (await patch(bus, made, url=receiver.url("/good/b"))).json()
    assert kept["retries"] == OWN | {"is_own": True}
    changed = (await patch(bus, made, retries={"pauses_seconds": [600]})).json()
    assert changed["retries"] == {"pauses_seconds": [600], "days": 3, "is_own": True}
    back = (await patch(bus, made, retries=None)).json()
    assert back["retries"] == {"pauses_seconds": BUS, "days": 3, "is_own": False}
    assert back == await bus.read(made["id"])


async def test_another_schedule_asks_no_address_again(bus, receiver):
    await bus.describe()
    async with bus.running():
        made = await bus.subscribe(receiver.url("/good/a"))
        await bus.until_active(made["id"])
        changed = (await patch(bus, made, retries=OWN)).json()
    assert changed["state"] == "active"
    assert len(receiver.handshakes) == 1


@pytest.mark.parametrize(
    ("retries", "pointer"),
    [
        ({"pauses_seconds": []}, "/retries/pauses_seconds"),
        ({"pauses_seconds": [4, 600]}, "/retries/pauses_seconds/0"),
        ({"pauses_seconds": [86_401]}, "/retries/pauses_seconds/0"),
        ({"pauses_seconds": [60] * 20 + [600]}, "/retries/pauses_seconds"),
        ({"pauses_seconds": [600, 299]}, "/retries/pauses_seconds"),
        ({"pauses_seconds": [600], "days": 15}, "/retries/days"),
        ({"pauses_seconds": [600], "days": 0}, "/retries/days"),
        ({"days": 5}, "/retries/pauses_seconds"),
    ],
)
async def test_a_schedule_has_limits(bus, receiver, retries, pointer):
    await bus.describe()
    made = await bus.subscribe(receiver.url("/good/a"))
    refused = await patch(bus, made, retries=retries)
    assert refused.status_code == 422, refused.text
    assert refused.json()["errors"][0]["pointer"] == pointer


async def test_a_schedule_is_for_webhooks(bus):
    await bus.describe()
    made = await bus.subscribe()
    refused = await patch(bus, made, retries=OWN)
    assert refused.json()["errors"][0]["pointer"] == "/retries"
    wanted = {
        "subscriber": made["subscriber"],
        "title": "Bansos",
        "types": made["types"],
        "kind": "sse",
    }
    path = "/v1/subscriptions"
    refused = await bus.ask("POST", path, bus.subscriber, json=wanted | {"retries": OWN})
    assert refused.json()["errors"][0]["pointer"] == "/retries"


async def waiting(bus, made):
    path = f"/v1/subscriptions/{made['id']}/deliveries"
    return (await bus.ask("GET", path, bus.subscriber)).json()["items"]


async def test_a_failed_try_waits_as_long_as_its_subscriber_said(bus, receiver):
    receiver.fails = lambda *_: 500
    await bus.describe()
    async with bus.running():
        made = await bus.subscribe(receiver.url("/good/a"), retries={"pauses_seconds": [3_600]})
        await bus.until_active(made["id"])
        await bus.publish(bus.event())
        (one,) = await bus.until(lambda: waiting(bus, made))
    async with bus.database.transaction() as session:
        query = text("SELECT next_at - at FROM delivery JOIN attempt USING (subscription, pos)")
        pause = await session.scalar(query)
    assert timedelta(minutes=48) <= pause <= timedelta(minutes=72), one


async def test_an_event_is_set_aside_after_the_subscribers_days(bus, receiver):
    receiver.fails = lambda *_: 500
    await bus.describe()
    async with bus.running():
        made = await bus.subscribe(
            receiver.url("/good/a"), retries={"pauses_seconds": [300], "days": 1}
        )
        await bus.until_active(made["id"])
        await bus.publish(bus.event())
        await bus.until(lambda: waiting(bus, made))
    async with bus.database.transaction() as session:
        late = "UPDATE delivery SET next_at = now(), first_at = first_at - interval '25 hours'"
        await session.execute(text(late))
    async with bus.running():

        async def is_dead():
            return (await bus.read(made["id"]))["dead"] == 1

        await bus.until(is_dead)
