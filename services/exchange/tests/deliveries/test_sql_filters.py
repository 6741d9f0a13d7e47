"""A filter in CloudEvents SQL holds for every kind of delivery, and is refused where it cannot."""

import orjson
import pytest
from sqlalchemy import text

from services.exchange.tests.deliveries.test_streams import Reading

WANTED = [{"sql": "subject LIKE 'family-%' AND number > 1 AND NOT (EXISTS secret)"}]


def told(bus):
    """Of these the filter lets two through."""
    events = [
        {"subject": "family-1", "number": 1}, {"subject": "family-1", "number": 2},
        {"subject": "office-1", "number": 3}, {"subject": "family-2", "number": "3"},
        {"subject": "family-2", "number": "many"}, {"subject": "family-2"},
        {"subject": "family-2", "number": 9, "secret": True},
    ]  # fmt: skip
    return [bus.event(**more, data={"number": place}) for place, more in enumerate(events)]


async def test_every_kind_of_delivery_hears_what_the_expression_lets_through(bus, receiver):
    await bus.describe()
    async with bus.running():
        hook = await bus.subscribe(receiver.url("/good/a"), filters=WANTED)
        await bus.until_active(hook["id"])
        pulled = await bus.subscribe(filters=WANTED)
        streamed = await bus.subscribe(kind="sse", filters=WANTED)
        async with Reading(bus, streamed) as stream:
            await bus.publish(*told(bus))
            await bus.until(lambda: len(receiver.got["/good/a"]) == 2 and stream.heard == 2)

        async def is_behind_all():
            return (await bus.read(hook["id"]))["position"] == 7

        await bus.until(is_behind_all)
    assert sorted(event["data"]["number"] for event in receiver.got["/good/a"]) == [1, 3]
    path = f"/v1/subscriptions/{pulled['id']}/pull"
    batch = (await bus.ask("POST", path, bus.subscriber, json={})).json()
    assert [one["event"]["data"]["number"] for one in batch["events"]] == [1, 3]


@pytest.mark.parametrize(
    ("expression", "detail"),
    [
        ("number >", "character 9: a value expected, not the end"),
        ("data = 'x'", "character 1: filters look at attributes alone"),
        ("EXISTS id OR EXISTS number AND TRUE", "character 28: put brackets around OR or AND"),
        ("NOPE(id)", "character 1: no function NOPE of 1 arguments"),
        ("'" + "a" * 2_000 + "' = id", "character 2001: at most 2000 characters"),
    ],
)
async def test_an_expression_that_cannot_be_read_is_refused_with_its_place(bus, expression, detail):
    await bus.describe()
    wanted = {
        "subscriber": bus.subscriber.application, "title": "Bansos", "types": ["dp3acskb.*"],
        "kind": "pull", "filters": [{"exact": {"subject": "x"}}, {"sql": expression}],
    }  # fmt: skip
    answer = await bus.ask("POST", "/v1/subscriptions", bus.subscriber, json=wanted)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["pointer"] == "/filters/1/sql"
    assert error["detail"].startswith(detail)


async def test_a_direct_subscriber_is_told_that_the_broker_looks_into_no_event(bus):
    await bus.describe()
    bus.app.state.targets = bus.app.state.targets.__class__(bus.app.state.targets.reach, True)
    wanted = {
        "subscriber": bus.subscriber.application, "title": "Bansos", "types": ["dp3acskb.*"],
        "kind": "nats", "filters": WANTED,
    }  # fmt: skip
    path = "/v1/subscriptions"
    made = await bus.ask("POST", path, bus.subscriber, json=wanted | {"filters": []})
    for answer in (
        await bus.ask("POST", path, bus.subscriber, json=wanted),
        await bus.ask(
            "PATCH", f"{path}/{made.json()['id']}", bus.subscriber, json={"filters": WANTED}
        ),
    ):
        assert answer.status_code == 422
        (error,) = answer.json()["errors"]
        assert error["pointer"] == "/filters"
        assert error["detail"].endswith("take webhook, pull or sse")


async def keep(bus, ident, expression):
    """As an earlier release might have taken it."""
    filters = orjson.dumps([{"sql": expression}]).decode()
    query = "UPDATE subscription SET filters = CAST(:filters AS jsonb) WHERE id = :id"
    async with bus.database.transaction() as session:
        await session.execute(text(query), {"filters": filters, "id": ident})


async def test_filters_that_are_read_no_more_hold_up_nobody_and_pass_nothing_by(bus, receiver):
    await bus.describe()
    old = await bus.subscribe(receiver.url("/good/old"))
    pulled = await bus.subscribe(filters=WANTED)
    for one in (old, pulled):
        await keep(bus, one["id"], "EXISTS id AND EXISTS number OR EXISTS secret")
    async with bus.running():
        other = await bus.subscribe(receiver.url("/good/other"))
        await bus.until_active(other["id"])
        await bus.until_active(old["id"])
        await bus.publish(bus.event(number=1))
        await bus.until(lambda: receiver.got["/good/other"])
    assert receiver.got["/good/old"] == []
    told = await bus.read(old["id"])
    assert (told["position"], told["lag"], told["state"]) == (0, 1, "active")
    why = "filters/0/sql: character 29: put brackets around AND or OR"
    assert told["reason"].startswith(why)
    path = f"/v1/subscriptions/{pulled['id']}/pull"
    answer = await bus.ask("POST", path, bus.subscriber, json={})
    assert answer.status_code == 403
    assert answer.json()["detail"].startswith(why)
    assert (await bus.read(pulled["id"]))["position"] == 0


async def test_a_filter_that_reads_thousands_of_zeros_ends_nobodys_deliveries(bus, receiver):
    """Python reads no longer numbers: one filter and one event ended the dispatcher."""
    await bus.describe()
    zeros = ", ".join(["zeros"] * 22)
    filters = [{"sql": f"INT(CONCAT({zeros})) = 0"}]
    async with bus.running():
        made = [
            await bus.subscribe(receiver.url("/good/a"), filters=filters),
            await bus.subscribe(receiver.url("/good/b")),
        ]
        for one in made:
            await bus.until_active(one["id"])
        for told in (1, 2):
            await bus.publish(bus.event(zeros="0" * 200))
            await bus.until(lambda told=told: len(receiver.got["/good/b"]) == told)
