"""The dispatcher's clock apart from everybody else's, and put forth and back under load."""

from datetime import UTC, datetime, timedelta

from sebalai_exchange.deliveries import lane as lanes
from sebalai_exchange.deliveries.schedule import (
    LEAP_MIN,
    PROBE_MAX_SECONDS,
    Breaker,
    Leaps,
    due_by,
)
from sebalai_exchange.subscriptions.retries import OWN
from sebalai_shared.clock import SystemClock
from sqlalchemy import text

MINUTES = (-3, 10, -20, 7, -12)  # of the dispatcher's clock, one after another
EACH = 40
RETRY_SECONDS = 1.0
LIFE = OWN.life
PATIENCE_SECONDS = 60  # far less than any leap
NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)


class Skewed:
    def __init__(self):
        self.by = timedelta()

    def now(self):
        return SystemClock().now() + self.by


class RefusedOnce:
    """Every seventh event is refused the first time; counts what it is asked."""

    def __init__(self):
        self.known, self.refused, self.posts = set(), 0, 0

    def __call__(self, _path, event):
        self.posts += 1
        is_new = event["id"] not in self.known
        self.known.add(event["id"])
        if not is_new or len(self.known) % 7:
            return 0
        self.refused += 1
        return 503


async def count_waiting(bus, ident):
    async with bus.database.transaction() as session:
        query = text("SELECT count(*) FROM delivery WHERE subscription = :id")
        return await session.scalar(query, {"id": ident})


async def test_leaping_clock_loses_nothing_and_neither_storms_nor_stops(
    bus, receiver, monkeypatch, capsys
):
    monkeypatch.setattr(lanes, "retry_seconds", lambda *_: RETRY_SECONDS)
    bus.dispatch_clock, receiver.fails = Skewed(), RefusedOnce()
    await bus.describe()
    sent = []
    async with bus.running():
        made = await bus.subscribe(receiver.url("/good/a"))
        await bus.until_active(made["id"])
        for minutes in MINUTES:
            batch = [bus.event() for _ in range(EACH)]
            sent += batch
            for start in range(0, EACH, 10):
                await bus.publish(*batch[start : start + 10])

            async def some_wait():
                return await count_waiting(bus, made["id"])

            await bus.until(some_wait)
            bus.dispatch_clock.by += timedelta(minutes=minutes)
            ids = {one["id"] for one in sent}
            await bus.until(lambda ids=ids: ids <= set(receiver.ids("/good/a")), PATIENCE_SECONDS)
    got, fails = receiver.got["/good/a"], receiver.fails
    for key in {one["subject"] for one in sent}:
        of_key = [one["id"] for one in sent if one["subject"] == key]
        assert [one["id"] for one in got if one["subject"] == key] == of_key
    assert fails.posts == len(sent) + fails.refused
    async with bus.database.transaction() as session:
        numbers = (await session.execute(text("SELECT max(number), count(*) FROM attempt"))).one()
    assert tuple(numbers) == (2, fails.posts)
    with capsys.disabled():
        print(
            f"\nclock leaps {MINUTES} min: {len(sent)} published, {len(got)} received in order, "
            f"{fails.refused} refused once, {fails.posts} posts, 0 lost"
        )


async def test_replayed_is_due_although_the_dispatcher_is_behind(bus, receiver):
    bus.dispatch_clock = Skewed()
    bus.dispatch_clock.by = timedelta(minutes=-10)
    await bus.describe()
    async with bus.running():
        made = await bus.subscribe(receiver.url("/good/a"))
        await bus.until_active(made["id"])
        await bus.publish(bus.event())
        await bus.until(lambda: len(receiver.ids("/good/a")) == 1)
        path = f"/v1/subscriptions/{made['id']}/replay"
        answer = await bus.ask("POST", path, bus.subscriber, json={"from_position": 1})
        assert answer.json()["done"] == 1, answer.text
        await bus.until(lambda: len(receiver.ids("/good/a")) == 2)


async def test_days_that_never_passed_end_no_events_life(bus, receiver, monkeypatch):
    """A clock set to next week, or a host that slept: the address had no such time."""
    monkeypatch.setattr(lanes, "retry_seconds", lambda *_: 0.3)
    bus.dispatch_clock, receiver.fails = Skewed(), lambda *_: 500
    await bus.describe()
    async with bus.running():
        made = await bus.subscribe(receiver.url("/good/a"))
        await bus.until_active(made["id"])
        await bus.publish(bus.event())

        async def tries():
            path = f"/v1/subscriptions/{made['id']}/deliveries"
            found = (await bus.ask("GET", path, bus.subscriber)).json()["items"]
            return found[0]["attempts"] if found else 0

        await bus.until(tries)
        bus.dispatch_clock.by = LIFE + timedelta(days=1)
        before = await tries()

        async def is_tried_again():
            return await tries() > before + 1

        await bus.until(is_tried_again)
        standing = await bus.read(made["id"])
    assert (standing["waiting"], standing["dead"], standing["state"]) == (1, 0, "active")


async def test_resent_by_a_host_far_ahead_is_set_aside_as_soon_as_any(bus, receiver, monkeypatch):
    monkeypatch.setattr(lanes, "retry_seconds", lambda *_: 0.05)
    bad = bus.event(subject="bad")
    receiver.fails = lambda _path, event: 422 if event["id"] == bad["id"] else 0
    ahead = Skewed()
    await bus.describe()
    async with bus.running():
        made = await bus.subscribe(receiver.url("/good/a"))
        await bus.until_active(made["id"])

        async def is_dead():
            await bus.publish(bus.event(subject="good"))
            return (await bus.read(made["id"]))["dead"] == 1

        await bus.publish(bad)
        await bus.until(is_dead)
        bus.app.state.clock = ahead
        ahead.by = timedelta(hours=5)
        path = f"/v1/subscriptions/{made['id']}/resend"
        answer = await bus.ask("POST", path, bus.subscriber, json={})
        assert answer.json() == {"count": 1, "done": 1}, answer.text
        await bus.until(is_dead)


def test_only_what_did_not_pass_counts_as_a_leap():
    leaps = Leaps(NOW, 100.0)
    assert leaps.back(NOW + timedelta(seconds=5), 105.0) == timedelta()
    assert leaps.back(NOW + timedelta(hours=1), 106.0) == timedelta(seconds=6, hours=-1)
    assert leaps.back(NOW, 107.0) == timedelta(hours=1, seconds=1)
    assert leaps.back(NOW + timedelta(seconds=1) - LEAP_MIN / 2, 108.0) == timedelta()


def test_a_leap_ahead_brings_a_probe_no_later():
    opened = Breaker(9, NOW + timedelta(minutes=5), NOW)
    ahead = opened.put_back(-LIFE)
    assert ahead == Breaker(9, NOW + timedelta(minutes=5), NOW + LIFE)
    assert not ahead.is_hopeless(NOW + LIFE, LIFE)


def test_what_was_written_by_a_clock_far_ahead_is_due_by_its_schedule():
    ahead = NOW + timedelta(days=300)
    assert due_by(OWN, NOW + timedelta(seconds=4), 1, NOW) == NOW + timedelta(seconds=4)
    assert due_by(OWN, ahead, 1, NOW) == NOW + timedelta(hours=1)
    assert due_by(OWN, ahead, 5, NOW) == NOW + timedelta(hours=2.4)
    opened = Breaker(9, ahead, ahead - LIFE)
    assert opened.within(NOW).open_until == NOW + timedelta(seconds=PROBE_MAX_SECONDS)
    assert Breaker(2).within(NOW) == Breaker(2).put_back(LIFE) == Breaker(2)
    assert opened.put_back(LIFE) == Breaker(9, ahead - LIFE, ahead - 2 * LIFE)
