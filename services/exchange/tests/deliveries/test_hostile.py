"""Subscribers, publishers and operators who try for more than is theirs."""

import asyncio

import pytest
from sebalai_exchange.deliveries import hub, slots, verifying
from sebalai_shared.testing.http import system
from sqlalchemy import text

STRANGER = "ID-BB/GOV/dinkes/puskesmas"
PATIENCE_SECONDS = 8  # less than a post may take


@pytest.mark.parametrize(
    ("kind", "method", "step", "body"),
    [
        ("webhook", "GET", "secret", None),
        ("webhook", "POST", "rotate-secret", None),
        ("pull", "POST", "pull", {}),
        ("pull", "POST", "ack", {"lease": "01a22912-df79-7048-91ca-180bd7ef19c5"}),
        ("pull", "POST", "nack", {"lease": "01a22912-df79-7048-91ca-180bd7ef19c5"}),
        ("sse", "GET", "stream", None),
    ],
)
async def test_the_operator_gets_neither_anothers_secret_nor_its_events(
    bus, receiver, kind, method, step, body
):
    await bus.describe()
    url = receiver.url("/good/a") if kind == "webhook" else None
    made = await bus.subscribe(url, kind=kind)
    path = f"/v1/subscriptions/{made['id']}"
    assert (await bus.ask("GET", path, bus.operator)).status_code == 200
    async with asyncio.timeout(PATIENCE_SECONDS):
        answer = await bus.ask(method, f"{path}/{step}", bus.operator, json=body)
    assert answer.status_code == 403, answer.text
    assert answer.json()["type"] == "urn:sebalai:problem:not-the-subscriber"


async def subscribe(bus, url, name):
    caller = system(name, "bus.call")
    wanted = {
        "subscriber": name, "title": "Puskesmas", "types": ["dp3acskb.birth.recorded.v1"],
        "kind": "webhook", "url": url,
    }  # fmt: skip
    answer = await bus.ask("POST", "/v1/subscriptions", caller, json=wanted)
    assert answer.status_code == 201, answer.text
    path = f"/v1/subscriptions/{answer.json()['id']}"

    async def is_active():
        return (await bus.ask("GET", path, caller)).json()["state"] == "active"

    await bus.until(is_active)


async def test_one_application_holds_no_more_posts_than_its_share(bus, receiver, monkeypatch):
    """Each of its addresses is new to the dispatcher, which cannot know that it will be slow."""
    monkeypatch.setattr(slots, "FLYING_MAX", 4)
    monkeypatch.setattr(slots, "FLYING_OF_ONE_MAX", 2)
    await bus.describe()
    async with bus.running():
        for number in range(5):
            await bus.until_active((await bus.subscribe(receiver.url(f"/held/{number}")))["id"])
        await subscribe(bus, receiver.url("/good/other"), STRANGER)
        first = bus.event()
        await bus.publish(first)
        await bus.until(lambda: receiver.ids("/good/other") == [first["id"]], PATIENCE_SECONDS)
        assert receiver.held == slots.FLYING_OF_ONE_MAX
        receiver.release.set()
        await bus.until(lambda: all(receiver.ids(f"/held/{n}") for n in range(5)))


async def test_one_application_opens_no_more_streams_than_its_share(bus, monkeypatch):
    monkeypatch.setattr(hub, "STREAMS_OF_APPLICATION_MAX", 1)
    await bus.describe()
    made = [await bus.subscribe(kind="sse") for _ in range(2)]
    headers = bus.settings._asserter.headers(bus.subscriber, "exchange")
    async for _ in bus.stream(f"/v1/subscriptions/{made[0]['id']}/stream", headers):
        path = f"/v1/subscriptions/{made[1]['id']}/stream"
        async with asyncio.timeout(PATIENCE_SECONDS):
            refused = await bus.ask("GET", path, bus.subscriber)
        assert refused.status_code == 429, refused.text
        break


async def test_one_application_has_no_more_addresses_asked_than_its_share(
    bus, receiver, monkeypatch
):
    """Its addresses say nothing; another's says yes meanwhile."""
    monkeypatch.setattr(verifying, "ASKED_OF_ONE_MAX", 2)
    receiver.silent = True
    await bus.describe()
    async with bus.running():
        for number in range(4):
            await bus.subscribe(receiver.url(f"/good/{number}"))
        await bus.until(lambda: len(receiver.handshakes) == verifying.ASKED_OF_ONE_MAX)
        await asyncio.sleep(0.3)
        assert len(receiver.handshakes) == verifying.ASKED_OF_ONE_MAX
        receiver.silent = False
        await subscribe(bus, receiver.url("/good/other"), STRANGER)
        receiver.release.set()


async def test_a_publisher_does_not_learn_where_its_subscribers_stand(bus):
    """Why an address did not take an event may name the address."""
    await bus.describe()
    made = await bus.subscribe("http://127.0.0.1:9/inside")
    async with bus.database.transaction() as session:
        query = "UPDATE subscription SET state = 'active', url = 'https://hook.inside.invalid/'"
        await session.execute(text(query))
    async with bus.running():
        (stored,) = await bus.publish(bus.event())
        path = f"/v1/events/{stored['event_id']}"

        async def receiver(caller):
            found = (await bus.ask("GET", path, caller)).json()["receivers"]
            return found[0] if found and found[0]["attempts"] else None

        seen = await bus.until(lambda: receiver(bus.operator))
        assert "hook.inside.invalid" in seen["reason"]
        told = await receiver(bus.publisher)
        assert told == seen | {"reason": None}, made
        tried = await bus.ask("GET", f"/v1/subscriptions/{made['id']}/attempts", bus.subscriber)
        assert tried.json()["items"][0]["reason"] == seen["reason"]
