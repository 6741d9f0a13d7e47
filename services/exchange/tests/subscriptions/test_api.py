"""Subscribing over the API: what is refused before anything is made, and who sees what is."""

import pytest
from sebalai_exchange.subscriptions import actions
from sebalai_shared.testing.http import system

SUBSCRIBER = "ID-BB/GOV/dinsos-pmd/bansos"
TYPE = "dp3acskb.birth.recorded.v1"


@pytest.fixture
async def described(call, provider):
    topic = {
        "type": TYPE,
        "title": "Kelahiran dicatat",
        "description": "A birth was recorded.",
        "schema": {"type": "object"},
        "examples": [{}],
        "access": "open",
    }
    answer = await call("POST", "/v1/topics", provider, json=topic)
    assert answer.status_code == 201, answer.text


def wanted(**more):
    base = {"subscriber": SUBSCRIBER, "title": "Bansos", "types": [TYPE], "kind": "pull"}
    return base | more


@pytest.mark.usefixtures("described")
async def test_a_start_is_a_position_or_a_time_but_not_both(call, consumer):
    time = "2026-11-24T08:00:00Z"
    both = wanted(start={"position": 0, "time": time})
    answer = await call("POST", "/v1/subscriptions", consumer, json=both)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == "/start"
    assert (await call("GET", "/v1/subscriptions", consumer)).json()["items"] == []
    for start in ({"position": 0}, {"time": time}, {}):
        made = await call("POST", "/v1/subscriptions", consumer, json=wanted(start=start))
        assert made.status_code == 201, made.text


@pytest.mark.usefixtures("described")
async def test_without_its_scope_a_subscriber_neither_sees_nor_changes_anything(call, consumer):
    made = (await call("POST", "/v1/subscriptions", consumer, json=wanted())).json()
    narrow, path = system(SUBSCRIBER, "exchange.manage"), f"/v1/subscriptions/{made['id']}"
    assert (await call("GET", path, narrow)).status_code == 404
    assert (await call("GET", "/v1/subscriptions", narrow)).json()["items"] == []
    for step, body in (("pause", {"reason": "sudah cukup"}), ("resume", {}), ("pull", {})):
        answer = await call("POST", f"{path}/{step}", narrow, json=body)
        assert answer.status_code == 404, step
    assert (await call("GET", path, consumer)).json()["state"] == "active"


@pytest.mark.usefixtures("described")
async def test_a_type_with_a_hyphen_in_it_is_described_and_heard(call, provider, consumer):
    kind = "dp3acskb.civil-servant.discharged.v1"
    topic = {
        "type": kind, "title": "Diberhentikan", "description": "Discharged.", "access": "open",
        "schema": {"type": "object"}, "examples": [{}],
    }  # fmt: skip
    assert (await call("POST", "/v1/topics", provider, json=topic)).status_code == 201
    assert (await call("GET", f"/v1/topics/{kind}")).status_code == 200
    made = await call("POST", "/v1/subscriptions", consumer, json=wanted(types=[kind]))
    assert made.status_code == 201, made.text


@pytest.mark.usefixtures("described")
async def test_changed_subscription_keeps_its_place_and_what_was_not_named(call, consumer):
    made = (await call("POST", "/v1/subscriptions", consumer, json=wanted())).json()
    path = f"/v1/subscriptions/{made['id']}"
    changed = await call("PATCH", path, consumer, json={"ordering": "none"})
    assert changed.status_code == 200, changed.text
    times = {"ordering": "none", "changed_at": changed.json()["changed_at"]}
    assert changed.json() == made | times
    refused = await call("PATCH", path, consumer, json={"url": "https://hook.example/x"})
    assert refused.json()["errors"][0]["pointer"] == "/url"
    assert (await call("PATCH", path, consumer, json={"kind": "sse"})).status_code == 422
    stranger = system("ID-BB/GOV/dinkes/puskesmas", "bus.call")
    assert (await call("PATCH", path, stranger, json={})).status_code == 404
    await call("POST", f"{path}/end", consumer, json={"reason": "sudah cukup"})
    assert (await call("PATCH", path, consumer, json={"ordering": "per_key"})).status_code == 409


FILTERS = [{"exact": {"subject": "family-1"}}]


@pytest.mark.usefixtures("described")
async def test_an_application_has_only_so_many_expressions_in_all(call, consumer, monkeypatch):
    monkeypatch.setattr(actions, "EXPRESSIONS_MAX", 3)
    two = [{"any": [{"sql": "EXISTS subject"}, {"not": {"sql": "EXISTS time"}}]}]
    made = [
        (await call("POST", "/v1/subscriptions", consumer, json=wanted(filters=filters))).json()
        for filters in (two, [], two[:0])
    ]
    refused = await call("POST", "/v1/subscriptions", consumer, json=wanted(filters=two))
    assert (refused.status_code, refused.json()["type"]) == (
        409, "urn:sebalai:problem:too-many-expressions",
    )  # fmt: skip
    path = f"/v1/subscriptions/{made[1]['id']}"
    assert (await call("PATCH", path, consumer, json={"filters": two})).status_code == 409
    assert (await call("GET", path, consumer)).json()["filters"] == []
    one = [{"sql": "EXISTS subject"}]
    assert (await call("PATCH", path, consumer, json={"filters": one})).status_code == 200
    # Its own do not count twice, and those of an ended one no more.
    assert (await call("PATCH", path, consumer, json={"filters": one})).status_code == 200
    first = f"/v1/subscriptions/{made[0]['id']}/end"
    ended = await call("POST", first, consumer, json={"reason": "sudah cukup"})
    assert ended.is_success
    assert (await call("PATCH", path, consumer, json={"filters": two})).status_code == 200


@pytest.mark.usefixtures("described")
async def test_filters_are_changed_by_who_may_and_held_to_the_rules_of_new_ones(call, consumer):
    made = (await call("POST", "/v1/subscriptions", consumer, json=wanted())).json()
    path = f"/v1/subscriptions/{made['id']}"
    changed = await call("PATCH", path, consumer, json={"filters": FILTERS})
    assert changed.status_code == 200, changed.text
    times = {"changed_at": changed.json()["changed_at"]}
    assert changed.json() == made | times | {"filters": FILTERS}
    kept = await call("PATCH", path, consumer, json={"ordering": "none"})
    assert kept.json()["filters"] == FILTERS
    for filters, pointer in (
        ([{"sql": "subject ="}], "/filters/0/sql"),
        ([{"all": []}], "/filters/0/all"),
        ([{"exact": {"subject": "x"}}] * 21, "/filters"),
        (None, "/filters"),
    ):
        refused = await call("PATCH", path, consumer, json={"filters": filters, "url": None})
        assert refused.status_code == 422, refused.text
        assert refused.json()["errors"][0]["pointer"] == pointer
    narrow = system(SUBSCRIBER, "exchange.manage")
    for stranger in (system("ID-BB/GOV/dinkes/puskesmas", "bus.call"), narrow):
        assert (await call("PATCH", path, stranger, json={"filters": []})).status_code == 404
    assert (await call("GET", path, consumer)).json()["filters"] == FILTERS
    taken = await call("PATCH", path, consumer, json={"filters": []})
    assert taken.json()["filters"] == []
    await call("POST", f"{path}/end", consumer, json={"reason": "sudah cukup"})
    assert (await call("PATCH", path, consumer, json={"filters": FILTERS})).status_code == 409


@pytest.mark.usefixtures("described")
@pytest.mark.parametrize(
    ("filters", "pointer"),
    [
        (r'[{"exact": {"subject": "\ud800"}}]', "/filters/0/exact/subject"),
        (r'[{"prefix": {"subject": "a\u0000b"}}]', "/filters/0/prefix/subject"),
        (r'[{"any": [{"sql": "id = \u0027\ud800\u0027"}]}]', "/filters/0/any/0/sql"),
        (r'[{"sql": "id = \u0027\u0000\u0027"}]', "/filters/0/sql"),
        (r'[{"exact": {"a\u0000": "b"}}]', "/filters/0/exact"),
        (r'[{"exact": {"\ud800": "b"}}]', "/filters/0/exact"),
        (r'[{"exact": {"": "b"}}]', "/filters/0/exact"),
        (r'[{"exact": {"Subject": "b"}}]', "/filters/0/exact"),
        (r'[{"exact": {"abcdefghijklmnopqrstu": "b"}}]', "/filters/0/exact"),
        ('[{"exact": {' + ", ".join(f'"a{n}": "b"' for n in range(51)) + "}}]", "/filters/0/exact"),
    ],
)
async def test_what_no_attribute_is_named_or_holds_is_refused_with_its_place(
    call, consumer, filters, pointer
):
    made = (await call("POST", "/v1/subscriptions", consumer, json=wanted())).json()
    path = f"/v1/subscriptions/{made['id']}"
    body = f'{{"filters": {filters}}}'.encode()
    json = {"Content-Type": "application/json"}
    answer = await call("PATCH", path, consumer, content=body, headers=json)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == pointer
