"""Direct NATS on a broker with users: what a subscriber receives, may not do, and loses at once."""

from types import SimpleNamespace

import pytest
from sebalai_exchange.direct import access, steward
from sqlalchemy import text

from services.exchange.tests.deliveries.direct.conftest import (
    OTHER,
    TYPE,
    connected,
    fetch,
    is_refused,
    subscribed,
    until_connected,
    until_shaped,
)


async def test_a_subscriber_receives_what_its_agreement_names_and_nothing_else(
    bus, server, stream, agreed
):
    one = await subscribed(bus)
    await until_connected(bus, server, one)
    shaped = await until_shaped(bus, stream, one)
    assert shaped["config"]["filter_subjects"] == [f"sebalai.{TYPE}"]
    for kind in (TYPE, OTHER, TYPE):
        await stream.publish(kind)
    async with connected(server, one) as told:
        assert await fetch(told, one, 2) == [f"sebalai.{TYPE}"] * 2
        client = told.client
        info = await client.jetstream(domain=one.domain).consumer_info(one.stream, one.consumer)
        assert info.num_pending == 0
        seen = await stream.publish(OTHER)
        for subject in ("sebalai.>", f"sebalai.{TYPE}", ">", "$SYS.>", "_INBOX_exchange.>"):
            await client.subscribe(subject)
        others = access.consumer_of("0" * 8)
        for subject in (
            f"sebalai.{TYPE}", "sebalai.identity.person.registered.v1", "$KV.SNAPSHOTS.routes",
            "$JS.API.STREAM.INFO.EVENTS", "$JS.API.CONSUMER.CREATE.EVENTS.mine",
            f"$JS.{one.domain}.API.CONSUMER.MSG.NEXT.EVENTS.{others}", "$JS.API.STREAM.MSG.GET.EVENTS",
            f"$JS.API.CONSUMER.DELETE.EVENTS.{one.consumer}", "$SYS.REQ.SERVER.PING.CONNZ",
        ):  # fmt: skip
            await client.publish(subject, b"{}", reply=f"{one.inbox_prefix}.x")
        await client.flush()

        def all_refused():
            return len([error for error in told.errors if "permissions violation" in error]) == 14

        await bus.until(all_refused)
        assert await stream.publish(OTHER) == seen + 1


async def test_an_answer_is_never_sent_where_the_members_listen(bus, server, stream, agreed):
    """In one account with them, a request for events could name any subject for its answer: the
    broker itself then said an event where nobody but a member may speak.
    """
    one = await subscribed(bus)
    await until_connected(bus, server, one)
    await until_shaped(bus, stream, one)
    await stream.publish()
    heard = []

    async def hear(message):
        heard.append(message)

    await stream.broker.client.subscribe("_INBOX_exchange.stolen", cb=hear)
    before = await stream.publish()
    async with connected(server, one) as told:
        place = f"$JS.{one.domain}.API.CONSUMER.MSG.NEXT.EVENTS.{one.consumer}"
        for reply in ("_INBOX_exchange.stolen", "sebalai.identity.person.registered.v1"):
            await told.client.publish(place, b'{"batch": 1, "no_wait": true}', reply=reply)
        await told.client.flush()
        after = await stream.publish()
        await fetch(told, one, 1)
    assert (heard, after) == ([], before + 1)


@pytest.mark.parametrize("step", ["suspend", "revoke"])
async def test_a_connection_is_closed_when_its_agreement_ends(bus, server, stream, agreed, step):
    one = await subscribed(bus)
    await until_connected(bus, server, one)
    async with connected(server, one) as told:
        await stream.publish()
        await until_shaped(bus, stream, one)
        body = {"reason": "tujuannya berakhir"}
        assert (await bus.ask("POST", f"{agreed}/{step}", bus.publisher, json=body)).is_success
        await bus.until(told.cut.is_set)
    assert await is_refused(server, one)
    if step == "suspend":
        body = {"reason": "sudah jelas"}
        assert (await bus.ask("POST", f"{agreed}/resume", bus.publisher, json=body)).is_success
        await until_connected(bus, server, one)


async def test_a_new_credential_closes_what_the_old_one_opened(bus, server, stream, agreed):
    one, other = await subscribed(bus), await subscribed(bus)
    await until_connected(bus, server, one)
    async with connected(server, one) as told, connected(server, other) as stays:
        path = f"/v1/subscriptions/{one.id}/credential"
        new = SimpleNamespace(**(await bus.ask("POST", path, bus.subscriber)).json())
        await bus.until(told.cut.is_set)
        await until_shaped(bus, stream, other)
        await stream.publish()
        assert await fetch(stays, other, 1) == [f"sebalai.{TYPE}"]
        assert not stays.cut.is_set()
    assert await is_refused(server, one)
    assert not await is_refused(server, new)
    assert await is_refused(server, new, user=str(one.user).upper())
    assert await is_refused(server, new, **{"pass": ""})


async def test_an_ended_subscription_leaves_nothing_at_the_broker(bus, server, stream, agreed):
    one = await subscribed(bus)
    await until_connected(bus, server, one)
    await until_shaped(bus, stream, one)
    async with connected(server, one) as told:
        path = f"/v1/subscriptions/{one.id}/end"
        assert (await bus.ask("POST", path, bus.subscriber, json={"reason": "selesai"})).is_success
        await bus.until(told.cut.is_set)

    async def is_gone():
        names = (await stream.broker.api("CONSUMER.NAMES.EVENTS", {"offset": 0}))["consumers"]
        return one.consumer not in (names or [])

    await bus.until(is_gone)
    answer = await bus.ask("POST", f"/v1/subscriptions/{one.id}/credential", bus.subscriber)
    assert answer.status_code == 409


async def test_what_only_parties_hear_is_not_offered_directly(bus, stream):
    await bus.describe(access="party")
    wanted = {
        "subscriber": bus.subscriber.application, "title": "Bansos", "types": [TYPE],
        "kind": "nats",
    }  # fmt: skip
    answer = await bus.ask("POST", "/v1/subscriptions", bus.subscriber, json=wanted)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/types/0"
    for more in ({"filters": [{"exact": {"subject": "x"}}]}, {"start": {"position": 1}}):
        answer = await bus.ask("POST", "/v1/subscriptions", bus.subscriber, json=wanted | more)
        assert answer.status_code == 422
    assert (await bus.ask("POST", "/v1/subscriptions", bus.subscriber, json=wanted | {"kind": "pull"})).is_success  # fmt: skip


async def test_nobody_stays_long_while_nobody_can_look_rights_up(
    bus, server, stream, agreed, monkeypatch
):
    monkeypatch.setattr(steward, "KEPT_SECONDS", 0.2)
    one = await subscribed(bus)
    await until_connected(bus, server, one)
    async with connected(server, one) as told:
        async with bus.database.transaction() as session:
            await session.execute(text("ALTER TABLE direct RENAME TO direct_away"))
        try:
            await bus.until(told.cut.is_set)
        finally:
            async with bus.database.transaction() as session:
                await session.execute(text("ALTER TABLE direct_away RENAME TO direct"))
    await until_connected(bus, server, one)
