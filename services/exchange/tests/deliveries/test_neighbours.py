"""Bad subscribers beside good ones, and the decisions people take about dead deliveries."""

import asyncio

import pytest
from sebalai_exchange.deliveries import lane as lanes
from sqlalchemy import text

HEALTHY = 10
EVENTS = 20
ENDLESS_READ_BYTES = 16 * 1024 * 1024  # what sockets buffer of ten gigabytes


async def subscribed(bus, url, **more):
    made = await bus.subscribe(url, **more)
    await bus.until_active(made["id"])
    return made


async def attempts(bus, made, **more):
    path = f"/v1/subscriptions/{made['id']}/attempts"
    answer = await bus.ask("GET", path, bus.subscriber, params=more)
    return answer.json()["items"]


async def test_bad_neighbours_cost_the_healthy_ones_nothing(bus, receiver, capsys):
    await bus.describe()
    paths = {name: f"/{name}/x" for name in ("slow", "broken", "moved", "endless")}
    async with bus.running():
        bad = {name: await subscribed(bus, receiver.url(path)) for name, path in paths.items()}
        bad["dead"] = await subscribed(bus, receiver.url("/good/dead"))
        bad["internal"] = await subscribed(bus, receiver.url("/good/internal"))
        async with bus.database.transaction() as session:
            for name, url in (("dead", "http://127.0.0.1:1/x"), ("internal", "http://10.0.0.7/x")):
                await session.execute(
                    text("UPDATE subscription SET url = :url WHERE id = :id"),
                    {"url": url, "id": bad[name]["id"]},
                )
        good = [await subscribed(bus, receiver.url(f"/good/{n}")) for n in range(HEALTHY)]
        await asyncio.sleep(0.2)
        sent = [bus.event() for _ in range(EVENTS)]
        for start in range(0, EVENTS, 10):
            await bus.publish(*sent[start : start + 10])
        ids = {event["id"] for event in sent}
        await bus.until(lambda: all(set(receiver.ids(f"/good/{n}")) == ids for n in range(HEALTHY)))
        keys = {event["subject"] for event in sent}
        for n in range(HEALTHY):
            got = receiver.got[f"/good/{n}"]
            assert len(got) == EVENTS, "each once"
            for key in keys:
                of_key = [event["id"] for event in got if event["subject"] == key]
                assert of_key == [event["id"] for event in sent if event["subject"] == key]
        await bus.until(lambda: len(receiver.got["/slow/x"]) > 0)

        async def is_open(name):
            return (await bus.read(bad[name]["id"]))["open_until"] is not None

        for name in ("broken", "moved", "dead", "internal"):
            await bus.until(lambda name=name: is_open(name))
    reasons = {name: (await attempts(bus, bad[name]))[0]["reason"] for name in bad}
    assert receiver.got["/good/dead"] == receiver.got["/good/internal"] == []
    assert receiver.got["/good/moved"] == []
    assert reasons["moved"] == "answers with a redirect, which is not followed"
    assert reasons["internal"] == (
        "10.0.0.7 stands on an internal address that no operator has named"
    )
    assert receiver.endless_bytes < len(receiver.got["/endless/x"]) * ENDLESS_READ_BYTES
    assert len(receiver.got["/endless/x"]) > 0
    counts = {name: len(await attempts(bus, bad[name], limit=100)) for name in bad}
    assert counts["dead"] <= 20
    with capsys.disabled():
        print(f"\nhealthy: {HEALTHY} x {EVENTS} of {EVENTS} received; tries at the bad: {counts}")
    assert len(good) == HEALTHY


async def test_one_poisoned_key_is_set_aside_and_the_others_flow(bus, receiver, monkeypatch):
    await bus.describe()
    receiver.fails = lambda _path, event: 422 if event["subject"] == "poison" else 0
    monkeypatch.setattr(lanes, "retry_seconds", lambda *_: 0.05)
    async with bus.running():
        made = await subscribed(bus, receiver.url("/good/a"))
        poison = [bus.event(subject="poison") for _ in range(2)]
        fine = [bus.event(subject=f"fine-{n}") for n in range(8)]
        await bus.publish(*poison, *fine)
        await bus.until(lambda: len(receiver.ids("/good/a")) == len(fine))

        async def dead():
            return (await bus.read(made["id"]))["dead"]

        await bus.until(dead)
        later = bus.event(subject="poison")
        await bus.publish(later)
        path = f"/v1/subscriptions/{made['id']}"

        async def has_three():
            return await dead() == 3

        await bus.until(has_three)
        found = (await bus.ask("GET", f"{path}/deliveries?state=dead", bus.subscriber)).json()
        reasons = [one["reason"] for one in found["items"]]
        assert reasons == ["answered 422", lanes.BEHIND, lanes.BEHIND]
        # First the count, then one given up, then the rest once more, in order.
        counted = await bus.ask("POST", f"{path}/resend", bus.subscriber, json={"count_only": True})
        assert counted.json() == {"count": 3, "done": 0}
        assert await dead() == 3
        receiver.fails = lambda *_: 0
        one = found["items"][0]["event_id"]
        skipped = await bus.ask(
            "POST", f"{path}/skip", bus.subscriber,
            json={"event_ids": [one], "reason": "wrong by our own fault"},
        )  # fmt: skip
        assert skipped.json() == {"count": 1, "done": 1}
        resent = await bus.ask("POST", f"{path}/resend", bus.subscriber, json={})
        assert resent.json() == {"count": 2, "done": 2}
        wanted = [poison[1]["id"], later["id"]]
        await bus.until(lambda: receiver.ids("/good/a")[-2:] == wanted)

        async def is_clean():
            return await dead() == 0

        await bus.until(is_clean)


async def test_a_publisher_sees_who_received_the_event(bus, receiver):
    await bus.describe()
    async with bus.running():
        made = [await subscribed(bus, receiver.url(f"/good/{n}")) for n in range(3)]
        await bus.subscribe(kind="sse")  # keeps its own place, so it is not among the expected
        (stored,) = await bus.publish(bus.event())
        path = f"/v1/events/{stored['event_id']}"

        async def is_through():
            found = (await bus.ask("GET", path, bus.publisher)).json()
            return found if found["received"] == 3 else None

        found = await bus.until(is_through)
    assert (found["received"], found["expected"], found["position"]) == (3, 3, 1)
    assert {one["subscription"] for one in found["receivers"]} == {one["id"] for one in made}
    assert {(one["state"], one["attempts"], one["status"]) for one in found["receivers"]} == {
        ("delivered", 1, 204)
    }
    assert (await bus.ask("GET", path, bus.subscriber)).status_code == 404


async def test_a_subscriber_counts_and_replays_what_it_had_before(bus, receiver):
    await bus.describe()
    async with bus.running():
        made = await subscribed(bus, receiver.url("/good/a"))
        sent = [bus.event() for _ in range(5)]
        await bus.publish(*sent)
        await bus.until(lambda: len(receiver.ids("/good/a")) == 5)
        path = f"/v1/subscriptions/{made['id']}/replay"
        wanted = {"from_position": 3, "count_only": True}
        counted = await bus.ask("POST", path, bus.subscriber, json=wanted)
        assert counted.json() == {"count": 3, "done": 0}
        both = {"from_position": 3, "from_time": "2026-11-24T08:00:00Z"}
        refused = await bus.ask("POST", path, bus.subscriber, json=both)
        assert refused.json()["errors"][0]["pointer"] == "/from_time"
        done = await bus.ask("POST", path, bus.subscriber, json={"from_position": 3})
        assert done.json() == {"count": 3, "done": 3}
        await bus.until(lambda: len(receiver.ids("/good/a")) == 8)
    again = receiver.got["/good/a"][5:]
    assert sorted(one["id"] for one in again) == sorted(event["id"] for event in sent[2:])
    assert {one["_headers"]["webhook-replay"] for one in again} == {"true"}


async def test_an_address_that_does_not_agree_gets_nothing(bus, receiver, monkeypatch):
    monkeypatch.setattr("sebalai_exchange.deliveries.verifying.PAUSE_SECONDS", 0.01)
    receiver.agreed_origin = "another.example"
    await bus.describe()
    async with bus.running():
        made = await bus.subscribe(receiver.url("/good/a"))

        async def is_disabled():
            found = await bus.read(made["id"])
            return found if found["state"] == "disabled" else None

        found = await bus.until(is_disabled)
        await bus.publish(bus.event())
    assert "another.example" in found["reason"]
    assert receiver.got["/good/a"] == []


async def test_another_address_must_agree_and_goes_on_where_the_old_one_was(bus, receiver):
    await bus.describe()
    async with bus.running():
        made = await subscribed(bus, receiver.url("/good/old"))
        path = f"/v1/subscriptions/{made['id']}"
        await bus.publish(bus.event())
        await bus.until(lambda: receiver.ids("/good/old"))
        refused = await bus.ask("PATCH", path, bus.subscriber, json={"url": "http://10.1.2.3/x"})
        assert refused.status_code == 422
        asked = len(receiver.handshakes)
        moved = await bus.ask(
            "PATCH", path, bus.subscriber, json={"url": receiver.url("/good/new")}
        )
        assert moved.json()["state"] == "verifying", moved.text
        # The old address is let go before the new one is asked; until then it may still be sent to.
        await bus.until(lambda: len(receiver.handshakes) > asked)
        (stored,) = await bus.publish(bus.event())
        await bus.until(lambda: receiver.ids("/good/new"))
    assert [one["_headers"]["webhook-id"] for one in receiver.got["/good/new"]] == [
        stored["event_id"]
    ]
    assert len(receiver.got["/good/old"]) == 1


async def test_an_address_that_is_gone_ends_its_subscription(bus, receiver):
    await bus.describe()
    async with bus.running():
        made = await subscribed(bus, receiver.url("/gone/a"))
        await bus.publish(bus.event())

        async def is_disabled():
            return (await bus.read(made["id"]))["state"] == "disabled"

        await bus.until(is_disabled)
    assert (await attempts(bus, made))[0]["status"] == 410


async def test_both_secrets_sign_while_one_replaces_the_other(bus, receiver):
    await bus.describe()
    async with bus.running():
        made = await subscribed(bus, receiver.url("/good/a"))
        path = f"/v1/subscriptions/{made['id']}"
        old = (await bus.ask("GET", f"{path}/secret", bus.subscriber)).json()
        new = (await bus.ask("POST", f"{path}/rotate-secret", bus.subscriber)).json()
        assert (old["generation"], new["generation"]) == (1, 2)
        assert old["secret"] != new["secret"]

        async def signs_twice():
            await bus.publish(bus.event())
            await asyncio.sleep(0.05)
            got = receiver.got["/good/a"]
            return got and len(got[-1]["_headers"]["webhook-signature"].split()) == 2

        await bus.until(signs_twice)


@pytest.mark.parametrize(
    "url",
    [
        "http://elsewhere.example/hook",
        "https://user:pw@elsewhere.example/hook",
        "ftp://elsewhere.example/hook",
        "http://10.1.2.3/hook",
        "http://[::1]/hook",
    ],
)
async def test_an_address_that_may_not_be_called_is_refused_at_once(bus, url):
    await bus.describe()
    wanted = {
        "subscriber": bus.subscriber.application, "title": "Bansos", "types": ["dp3acskb.*"],
        "kind": "webhook", "url": url,
    }  # fmt: skip
    answer = await bus.ask("POST", "/v1/subscriptions", bus.subscriber, json=wanted)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/url"
