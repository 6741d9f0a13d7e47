"""Publishing over the API: the three modes, the schema, repetitions, and who may."""

import json
from datetime import UTC, datetime

import pytest
from sebalai_exchange.publishing import jobs
from sqlalchemy import text

BATCH = "application/cloudevents-batch+json"
ONE = "application/cloudevents+json"
PUBLISHER = "ID-BB/GOV/dp3acskb/kependudukan"
TYPE = "dp3acskb.birth.recorded.v1"
NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


@pytest.fixture
def topic():
    return {
        "type": TYPE,
        "title": "Kelahiran dicatat",
        "description": "A birth was recorded.",
        "schema": {
            "type": "object",
            "required": ["number"],
            "properties": {"number": {"type": "integer"}},
        },
        "examples": [{"number": 1}],
        "access": "open",
    }


@pytest.fixture
async def described(call, provider, topic):
    answer = await call("POST", "/v1/topics", provider, json=topic)
    assert answer.status_code == 201, answer.text
    return answer.json()


def event(**more):
    return {
        "specversion": "1.0",
        "id": "a-1",
        "source": "/dp3acskb",
        "type": TYPE,
        "subject": "family-1",
        "data": {"number": 7},
    } | more


async def publish(call, who, body, kind=ONE, **headers):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await call(
        "POST", "/v1/events", who, content=body, headers={"Content-Type": kind, **headers}
    )


async def stored(database):
    async with database.transaction() as session:
        found = await session.execute(
            text("SELECT document, type, key FROM event_new ORDER BY seq")
        )
        return [(json.loads(row.document), row.type, row.key) for row in found]


async def test_a_structured_event_is_stored_before_202(call, provider, described, database):
    answer = await publish(call, provider, event())
    assert answer.status_code == 202, answer.text
    (made,) = answer.json()["events"]
    assert (made["source"], made["id"], made["repeated"]) == ("/dp3acskb", "a-1", False)
    ((document, kind, key),) = await stored(database)
    assert (kind, key) == (TYPE, "family-1")
    assert {name: document[name] for name in event()} == event()


async def test_a_binary_event_is_the_same_event(call, provider, described, database):
    headers = {f"ce-{name}": value for name, value in event().items() if name != "data"}
    headers["ce-note"] = "Bangka%20%C3%A9"
    answer = await publish(call, provider, event()["data"], "application/json", **headers)
    assert answer.status_code == 202, answer.text
    ((document, *_),) = await stored(database)
    assert document["data"] == {"number": 7}
    assert document["note"] == "Bangka é"
    assert document["datacontenttype"] == "application/json"


async def test_a_header_that_is_not_percent_encoded_is_refused(call, provider, described, database):
    headers = {f"ce-{name}": value for name, value in event().items() if name != "data"}
    headers["ce-note"] = "Bangka é".encode()
    answer = await publish(call, provider, event()["data"], "application/json", **headers)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/note")
    assert await stored(database) == []


async def test_a_batch_is_stored_whole_in_its_order(call, provider, described, database):
    batch = [event(id=f"z-{9 - n}", data={"number": n}) for n in range(5)]
    answer = await publish(call, provider, batch, BATCH)
    assert [one["id"] for one in answer.json()["events"]] == [f"z-{9 - n}" for n in range(5)]
    assert [document["data"]["number"] for document, *_ in await stored(database)] == list(range(5))


async def test_one_bad_event_keeps_the_whole_batch_out(call, provider, described, database):
    batch = [event(id="a"), event(id="b", data={"number": "seven"})]
    answer = await publish(call, provider, batch, BATCH)
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:sebalai:problem:event-invalid"
    assert answer.json()["errors"][0]["pointer"] == "/data/number"
    assert "seven" not in answer.text
    assert await stored(database) == []


async def test_a_repetition_gets_the_first_answer(call, provider, described, database):
    first = (await publish(call, provider, event())).json()["events"][0]
    again = (await publish(call, provider, event())).json()["events"][0]
    assert again == first | {"repeated": True}
    assert len(await stored(database)) == 1


async def test_a_repetition_is_known_as_long_as_its_event_is_kept(
    call, provider, topic, database, monkeypatch
):
    await call("POST", "/v1/topics", provider, json=topic | {"retention_days": 30})
    await publish(call, provider, event())
    monkeypatch.setattr(jobs, "FORGOTTEN_A_PASS", 1)

    async def age(days):
        async with database.transaction() as session:
            query = "UPDATE event_seen SET kept_until = kept_until - make_interval(days => :days)"
            await session.execute(text(query), {"days": days})
            return await jobs.forget_seen(session)

    # The clock of the test that stored it need not be the machine's.
    ahead = (datetime.now(UTC) - NOW).days
    assert not await age(29 - ahead)
    assert (await publish(call, provider, event())).json()["events"][0]["repeated"]
    assert await age(2)
    again = await publish(call, provider, event(data={"number": 8}))
    assert again.status_code == 202
    assert not again.json()["events"][0]["repeated"]


async def test_the_same_id_with_other_content_is_a_conflict(call, provider, described, database):
    await publish(call, provider, event())
    answer = await publish(call, provider, event(data={"number": 8}))
    assert (answer.status_code, answer.json()["type"]) == (
        409,
        "urn:sebalai:problem:event-id-reused",
    )
    assert len(await stored(database)) == 1


async def test_nobody_takes_the_ids_of_another_publisher(
    call, provider, consumer, topic, described, database
):
    theirs = topic | {"type": "dinsos-pmd.aid.paid.v1"}
    assert (await call("POST", "/v1/topics", consumer, json=theirs)).status_code == 201
    taken = await publish(call, consumer, event(type=theirs["type"], data={"number": 8}))
    assert taken.status_code == 202, taken.text
    answer = await publish(call, provider, event())
    assert answer.status_code == 202, answer.text
    assert not answer.json()["events"][0]["repeated"]
    assert len(await stored(database)) == 2


async def test_a_pair_twice_in_one_batch_is_stored_once(call, provider, described, database):
    answer = await publish(call, provider, [event(), event()], BATCH)
    assert [one["repeated"] for one in answer.json()["events"]] == [False, True]
    assert len(await stored(database)) == 1


def nested(levels):
    """`levels` objects in one another."""
    value = 1
    for _ in range(levels):
        value = {"number": value}
    return value


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"id": None}, "/id"),
        ({"specversion": "0.3"}, "/specversion"),
        ({"type": "Kelahiran"}, "/type"),
        ({"position": "1"}, "/position"),
        ({"publisher": "ID-BB/GOV/dinkes/simpus"}, "/publisher"),
        ({"data_base64": "AAAA"}, "/data_base64"),
        ({"time": "2026-11-24T08:06:00Z"}, "/time"),
        ({"time": "yesterday"}, "/time"),
        ({"subject": "1971012345678901"}, "/subject"),
        ({"sub-ject": "x"}, "/sub-ject"),
        ({"note": {"a": 1}}, "/note"),
        ({"note": "a\u0000b"}, "/note"),
        ({"data": {"number": 1, "text": "a\u0000b"}}, "/data"),
        ({"data": nested(65)}, "/data"),
        ({"data": nested(600)}, "/data"),
        ({"source": "has space"}, "/source"),
        ({"source": "/kelahiran/é"}, "/source"),
        ({"dataschema": "::"}, "/dataschema"),
        ({"datacontenttype": "text/plain"}, "/datacontenttype"),
    ],
)
async def test_a_broken_envelope_names_the_attribute(
    call, provider, described, database, change, pointer
):
    answer = await publish(call, provider, event(**change))
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert "1971012345678901" not in answer.text
    assert await stored(database) == []


async def test_a_nik_in_the_data_is_refused_without_being_repeated(
    call, provider, described, database
):
    answer = await publish(call, provider, event(data={"number": 1, "nik": "1971012345678901"}))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/data"
    assert "1971012345678901" not in answer.text
    assert await stored(database) == []


async def test_another_agency_publishes_only_with_an_agreement(
    call, consumer, provider, published, topic, agreement_wanted
):
    wanted = topic | {"access": "agreement", "interface": published["name"]}
    assert (await call("POST", "/v1/topics", provider, json=wanted)).status_code == 201
    refused = await publish(call, consumer, event())
    assert refused.status_code == 403
    rules = [{"method": "PUBLISH", "path": f"/{TYPE}"}]
    asked = await call("POST", "/v1/agreements", consumer, json=agreement_wanted(rules=rules))
    await call("POST", f"/v1/agreements/{asked.json()['id']}/grant", provider)
    assert (await publish(call, consumer, event())).status_code == 403
    purpose = {"Sebalai-Purpose": "verifikasi-bansos"}
    assert (await publish(call, consumer, event(), **purpose)).status_code == 202


async def test_an_unknown_type_is_not_found(call, provider, database):
    answer = await publish(call, provider, event())
    assert (answer.status_code, answer.json()["type"]) == (
        404,
        "urn:sebalai:problem:event-type-unknown",
    )


async def test_what_is_no_event_is_told_so(call, provider, described):
    answer = await publish(call, provider, b"{", ONE)
    assert answer.status_code == 422
    assert (await publish(call, provider, b"{}", "text/plain")).status_code == 422
    assert (await publish(call, provider, b"[]", BATCH)).status_code == 422
