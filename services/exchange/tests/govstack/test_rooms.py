"""Rooms over the API on a real database: event types, publishing, subscribing, pulling."""

from copy import deepcopy

import pytest

from services.exchange.tests.govstack.conftest import NEW_BIRTH, ROOM, SUBSCRIBER

KIND = "dp3acskb.kependudukan.new-birth.v1"
TYPES, SUB, PUB, PULL = (
    "/api/v1/eventType",
    "/api/v1/subs/newBirth",
    "/pub/v1/newBirth",
    "/pull/v1/newBirth",
)


def deep(levels):
    schema = {}
    for _ in range(levels):
        schema = {"not": schema}
    return schema


async def test_a_rooms_types_are_described_listed_read_and_not_twice(room):
    assert (await room.ask("GET", TYPES)).status_code == 204
    assert (await room.ask("GET", f"{TYPES}/newBirth")).status_code == 204
    await room.ask("POST", TYPES, status=200, json=NEW_BIRTH)
    again = await room.ask("POST", TYPES, status=409, json=NEW_BIRTH)
    assert again.json()["type"] == "urn:sebalai:problem:event-type-exists"
    assert (await room.ask("GET", TYPES, room.subscriber)).json() == ["newBirth"]
    read = (await room.ask("GET", f"{TYPES}/newBirth", room.subscriber)).json()
    assert (read["eventType"], read["schema"]["required"]) == ("newBirth", ["number"])
    native = (await room.bus.ask("GET", f"/v1/topics/{KIND}")).json()
    assert (native["application"], native["access"]) == (ROOM, "agreement")
    assert (await room.ask("GET", f"{TYPES}/{KIND}", status=200)).json()["eventType"] == KIND


async def test_a_type_described_here_under_another_name_is_in_the_room_too(room):
    await room.bus.describe()
    assert (await room.ask("GET", TYPES)).json() == ["dp3acskb.birth.recorded.v1"]
    await room.ask("GET", f"{TYPES}/dp3acskb.birth.recorded.v1", status=200)
    path = f"/govstack/{SUBSCRIBER}{TYPES}/dp3acskb.birth.recorded.v1"
    assert (await room.bus.ask("GET", path, room.subscriber)).status_code == 204


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"eventType": "new birth"}, "/eventType"),
        ({"eventType": "a12345678901234567"}, "/eventType"),
        ({"eventType": "other.birth.recorded.v1"}, None),
        ({"schema": {"type": "sort"}}, "/schema"),
        ({"schema": NEW_BIRTH["schema"] | {"dependencies": {}}}, "/schema/dependencies"),
        ({"schema": None}, "/schema"),
        ({"more": 1}, "/more"),
        ({"schema": deep(600)}, "/schema"),
        ({"schema": deep(600) | {"$schema": NEW_BIRTH["schema"]["$schema"]}}, "/schema"),
    ],
)
async def test_a_type_that_cannot_be_is_refused_with_the_field_named(room, changed, pointer):
    answer = await room.ask("POST", TYPES, json=deepcopy(NEW_BIRTH) | changed)
    assert answer.status_code == (403 if pointer is None else 400), answer.text
    if pointer:
        assert answer.json()["errors"][0]["pointer"] == pointer
    assert (await room.ask("GET", TYPES)).status_code == 204


async def test_only_the_rooms_application_describes_and_only_where_there_is_a_room(room, bus):
    answer = await room.ask("POST", TYPES, room.subscriber, 403, json=NEW_BIRTH)
    assert answer.json()["type"] == "urn:sebalai:problem:not-the-owner"
    path = f"/govstack/{SUBSCRIBER}{TYPES}"
    answer = await bus.ask("POST", path, bus.subscriber, json=NEW_BIRTH)
    assert (answer.status_code, answer.json()["type"][20:]) == (404, "room-unknown")


async def test_a_deleted_type_is_published_no_more_and_its_name_never_given_again(room):
    await room.ask("POST", TYPES, status=200, json=NEW_BIRTH)
    await room.ask("DELETE", f"{TYPES}/newBirth", room.subscriber, 403)
    await room.ask("DELETE", f"{TYPES}/newBirth", status=204)
    body = {"eventType": "newBirth", "event": {"number": 1}}
    await room.ask("POST", PUB, status=404, json=body)
    await room.ask("DELETE", f"{TYPES}/newBirth", status=404)
    await room.ask("POST", TYPES, status=409, json=NEW_BIRTH)
    assert (await room.ask("GET", TYPES)).status_code == 204


async def test_a_type_others_count_on_is_not_deleted(room, subscribed):
    answer = await room.ask("DELETE", f"{TYPES}/newBirth", status=409)
    assert answer.json()["type"] == "urn:sebalai:problem:event-type-in-use"
    await room.publish(1)


async def test_events_are_pulled_and_acknowledged_one_by_one(room, subscribed):
    async with room.bus.running():
        made = [await room.publish(number) for number in (1, 2)]
        first = await room.pulled()
        assert (first["id"], first["event"], first["eventType"]) == (
            made[0],
            {"number": 1},
            "newBirth",
        )
        assert first["publisherId"]["applicationCode"] == "kependudukan"
        assert first["leaseSeconds"] == 60
        second = await room.pulled()
        assert (second["id"], second["sequence"] > first["sequence"]) == (made[1], True)
        for event in (first, second):
            await room.ask("DELETE", f"{PULL}/{event['id']}", room.subscriber, 204)
        await room.ask("DELETE", f"{PULL}/{made[0]}", room.subscriber, 404)
        await room.ask("GET", PULL, room.subscriber, 404)
        status = (await room.ask("GET", f"{PUB}/{made[0]}", status=200)).json()
    assert (status["received"], status["expected"]) == (1, 1)
    assert status["receivers"][0]["subscriberId"]["memberCode"] == "dinsos-pmd"
    await room.ask("GET", f"{PUB}/{made[0]}", room.subscriber, 404)


async def test_a_fifo_subscriber_gets_the_next_once_it_has_acknowledged_the_one_before(
    room, subscribed
):
    wanted = {"eventType": "newBirth", "options": {"FIFO": True}}
    changed = await room.ask("PATCH", SUB, room.subscriber, 201, json=wanted)
    assert (changed.json()["options"]["FIFO"], changed.json()["id"]) == (True, subscribed["id"])
    async with room.bus.running():
        for number in (1, 2):
            await room.publish(number)
        first = await room.pulled()
        await room.ask("GET", PULL, room.subscriber, 404)
        await room.ask("DELETE", f"{PULL}/{first['id']}", room.subscriber, 204)
        assert (await room.pulled())["event"] == {"number": 2}


async def test_an_event_of_another_making_is_pulled_with_the_data_it_has(room, subscribed):
    plain = {"eventType": "newBirth", "schema": {}}
    await room.ask("POST", TYPES, status=200, json=plain | {"eventType": "plain"})
    kind = "dp3acskb.kependudukan.plain.v1"
    wanted = {"eventType": "plain", "delivery": "PULL"}
    await room.ask("POST", "/api/v1/subs/plain", status=200, json=wanted)
    async with room.bus.running():
        made = await room.bus.publish(room.bus.event(type=kind, data=[1, 2]))

        async def found():
            answer = await room.ask("GET", "/pull/v1/plain")
            return answer.status_code != 404 and answer

        answer = await room.bus.until(found)
        assert (answer.status_code, answer.json()["event"]) == (200, [1, 2])
        status = await room.ask("GET", f"/pub/v1/plain/{made[0]['event_id']}", status=200)
        assert status.json()["event"] == [1, 2]


async def test_a_repetition_under_one_key_gets_the_first_id(room, subscribed):
    key = {"Idempotency-Key": "lahir-1"}
    first = await room.publish(1, headers=key)
    assert await room.publish(1, headers=key) == first
    body = {"eventType": "newBirth", "event": {"number": 2}}
    await room.ask("POST", PUB, status=409, json=body, headers=key)
    assert await room.publish(1) != first


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"event": {"number": "satu"}}, "/data/number"),
        ({"event": {"number": 1, "nik": "1234567890123456"}}, "/event"),
        ({"eventType": "other", "event": {"number": 1}}, "/eventType"),
        ({"event": {"number": 1}, "key": "1234567890123456"}, "/key"),
    ],
)
async def test_an_event_that_cannot_be_is_refused_with_the_field_named(
    room, subscribed, body, pointer
):
    answer = await room.ask("POST", PUB, status=400, json={"eventType": "newBirth"} | body)
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_a_published_event_is_not_taken_back(room, subscribed):
    made = await room.publish(1)
    answer = await room.ask("DELETE", f"{PUB}/{made}", status=405)
    assert answer.headers["allow"] == "GET"


async def test_who_may_is_what_the_agreement_says(room):
    await room.ask("POST", TYPES, status=200, json=NEW_BIRTH)
    wanted = {"eventType": "newBirth", "delivery": "PULL"}
    body = {"eventType": "newBirth", "event": {"number": 1}}
    await room.ask("POST", SUB, room.subscriber, 403, json=wanted)
    await room.ask("POST", PUB, room.subscriber, 403, json=body)
    agreement = await room.agree(("PUBLISH", f"/{KIND}"), ("SUBSCRIBE", f"/{KIND}"))
    other = {"Sebalai-Purpose": "penagihan"}
    await room.ask("POST", PUB, room.subscriber, 403, json=body, headers=other)
    await room.ask("POST", SUB, room.subscriber, 403, json=wanted, headers=other)
    await room.ask("POST", PUB, room.subscriber, 201, json=body)
    await room.ask("POST", SUB, room.subscriber, 200, json=wanted)
    path = f"/v1/agreements/{agreement}/revoke"
    await room.bus.ask("POST", path, room.publisher, json={"reason": "sudah selesai"})
    await room.ask("POST", PUB, room.subscriber, 403, json=body)
    async with room.bus.running():
        await room.publish(2)
        await room.ask("GET", PULL, room.subscriber, 403)


async def test_a_subscription_is_listed_read_changed_and_deleted(room, subscribed):
    wanted = {"eventType": "newBirth", "delivery": "PULL"}
    again = await room.ask("POST", SUB, room.subscriber, 409, json=wanted)
    assert again.json()["type"] == "urn:sebalai:problem:subscription-exists"
    listed = (await room.ask("GET", "/api/v1/subs", room.subscriber, 200)).json()
    assert listed == [subscribed] == [(await room.ask("GET", SUB, room.subscriber, 200)).json()]
    assert subscribed["options"] == {"TTL": 365 * 86_400, "FIFO": False, "url": None}
    assert subscribed["subscriberId"]["applicationCode"] == "bansos"
    assert (await room.ask("GET", "/api/v1/subs", status=200)).json() == []
    await room.ask("PATCH", SUB, room.subscriber, 400, json=wanted | {"delivery": "PUSH"})
    await room.ask("DELETE", SUB, room.subscriber, 204)
    for method in ("GET", "DELETE"):
        await room.ask(method, SUB, room.subscriber, 404)
    await room.ask("GET", PULL, room.subscriber, 404)
    await room.ask("POST", SUB, room.subscriber, 200, json=wanted)


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"delivery": "PUSH"}, "/options/url"),
        ({"delivery": "PUSH", "options": {"url": "no address"}}, "/options/url"),
        ({"delivery": "PUSH", "options": {"url": "http://10.0.0.1/x"}}, "/options/url"),
        ({"options": {"url": "https://bus.example/x"}}, "/options/url"),
        ({"options": {"TTL": 400 * 86_400}}, "/options/TTL"),
        ({"delivery": "POST"}, "/delivery"),
        ({"subscriberId": {"instanceId": "ID-BB", "memberClass": "GOV", "memberCode": "x",
                           "applicationCode": "y"}}, "/subscriberId"),
    ],
)  # fmt: skip
async def test_a_subscription_that_cannot_be_is_refused_with_the_field_named(
    room, changed, pointer
):
    await room.ask("POST", TYPES, status=200, json=NEW_BIRTH)
    wanted = {"eventType": "newBirth", "delivery": "PULL"} | changed
    answer = await room.ask("POST", SUB, status=400, json=wanted)
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_push_is_posted_to_the_address_and_another_address_must_agree_first(
    room, subscribed, receiver
):
    await room.ask("DELETE", SUB, room.subscriber, 204)
    wanted = {"eventType": "newBirth", "options": {"url": receiver.url("/first")}}
    async with room.bus.running():
        made = (await room.ask("POST", SUB, room.subscriber, 200, json=wanted)).json()
        assert (made["delivery"], made["state"]) == ("PUSH", "verifying")
        await room.bus.until_active(made["id"])
        await room.publish(1)
        await room.bus.until(lambda: receiver.got["/first"])
        other = {"eventType": "newBirth", "options": {"url": receiver.url("/second"), "FIFO": True}}
        changed = (await room.ask("PATCH", SUB, room.subscriber, 201, json=other)).json()
        assert (changed["state"], changed["options"]["FIFO"]) == ("verifying", True)
        await room.bus.until_active(made["id"])
        await room.publish(2)
        await room.bus.until(lambda: receiver.got["/second"])
        await room.ask("GET", PULL, room.subscriber, 409)
    assert [one["data"]["number"] for one in receiver.got["/first"]] == [1]
    assert [one["data"]["number"] for one in receiver.got["/second"]] == [2]


async def test_what_is_dead_is_listed_sent_again_or_given_up(room, subscribed):
    async with room.bus.running():
        made = [await room.publish(number) for number in (1, 2)]
        await room.pulled()
        await room.pulled()
        await room.spend_leases()
        await room.ask("GET", PULL, room.subscriber, 404)
        dead = (await room.ask("GET", f"{SUB}/dead", room.subscriber, 200)).json()
        assert [one["id"] for one in dead] == made
        await room.ask("POST", f"{SUB}/dead/{made[0]}", room.subscriber, 204)
        await room.ask("DELETE", f"{SUB}/dead/{made[1]}", room.subscriber, 204)
        await room.ask("DELETE", f"{SUB}/dead/{made[1]}", room.subscriber, 404)
        assert (await room.pulled())["id"] == made[0]
    assert (await room.ask("GET", f"{SUB}/dead", room.subscriber)).json() == []
