"""Event types over the API: described by their agency, versioned, deprecated, published."""

import json

import pytest

TYPE = "dp3acskb.birth.recorded.v1"


def wanted(**more):
    return {
        "type": TYPE,
        "title": "Kelahiran dicatat",
        "description": "A birth was recorded.",
        "schema": {"type": "object", "properties": {"number": {"type": "integer"}}},
        "examples": [{"number": 1}],
        "access": "open",
    } | more


async def describe(call, who, **more):
    return await call("POST", "/v1/topics", who, json=wanted(**more))


async def test_an_agency_describes_a_type_and_everybody_reads_it(call, provider):
    made = await describe(call, provider, data_categories=["identitas"])
    assert made.status_code == 201
    assert made.headers["location"] == f"/v1/topics/{TYPE}"
    read = (await call("GET", f"/v1/topics/{TYPE}")).json()
    assert read == made.json()
    assert (read["owner"], read["minor"], read["state"]) == ("dp3acskb", 0, "active")
    assert read["schema"]["properties"] == {"number": {"type": "integer"}}
    listed = (await call("GET", "/v1/topics?owner=dp3acskb")).json()["items"]
    assert [one["type"] for one in listed] == [TYPE]


@pytest.mark.parametrize("levels", [70, 300, 600])
async def test_what_nests_too_deep_is_refused_with_its_place(call, provider, levels):
    def nested(name):
        value = {}
        for _ in range(levels):
            value = {name: value}
        return value

    for more, pointer in (
        ({"schema": nested("not")}, "/schema"),
        ({"schema": {"type": "object"}, "examples": [{}, nested("a")]}, "/examples/1"),
    ):
        answer = await describe(call, provider, **more)
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize(
    "value",
    [r'"a\u0000b"', r'"\ud800"', "18446744073709551616", r'{"\u0000": 1}', r'["\udc00"]'],
)
async def test_what_the_database_cannot_keep_is_refused_with_its_place(call, provider, value):
    good = '"^[^\\\\u0000]*$"'  # a pattern may tell of it
    for schema, example, pointer in ((value, good, "/schema"), (good, value, "/examples/0")):
        body = {"schema": {"type": "object", "x-told": "@1"}, "examples": [{"told": "@2"}]}
        text = json.dumps(wanted(**body)).replace('"@1"', schema).replace('"@2"', example)
        answer = await call(
            "POST", "/v1/topics", provider, content=text.encode(),
            headers={"Content-Type": "application/json"},
        )  # fmt: skip
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0]["pointer"] == pointer
    made = await describe(call, provider, examples=[{"told": json.loads(good)}])
    assert made.status_code == 201


async def test_a_wider_schema_is_the_next_minor_and_a_narrower_one_is_refused(call, provider):
    await describe(call, provider)
    wider = {
        "type": "object",
        "properties": {"number": {"type": "integer"}, "place": {"type": "string"}},
    }
    assert (await describe(call, provider, schema=wider)).json()["minor"] == 1
    again = await describe(call, provider, schema=wider)
    assert again.json()["minor"] == 1
    narrower = {"type": "object", "properties": {"number": {"type": "integer"}}}
    refused = await describe(call, provider, schema=narrower)
    assert refused.status_code == 409
    assert refused.json()["breaks"] == ["/place is removed"]
    assert "birth.recorded.v2" in refused.json()["detail"]
    versions = (await call("GET", f"/v1/topics/{TYPE}/versions")).json()["items"]
    assert [one["minor"] for one in versions] == [0, 1]


async def test_only_its_agency_describes_a_type(call, consumer, provider, operator):
    assert (await describe(call, consumer)).status_code == 403
    assert (await describe(call, provider, type="exchange.x.done.v1")).status_code == 403
    assert (await describe(call, provider)).status_code == 201


async def test_an_example_that_breaks_the_schema_is_named(call, provider):
    answer = await describe(call, provider, examples=[{"number": 1}, {"number": "x"}])
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/examples/1"


async def test_a_type_under_agreement_names_an_interface_of_its_own(
    call, provider, consumer, published
):
    assert (await describe(call, provider, access="agreement")).status_code == 422
    fine = await describe(call, provider, access="agreement", interface=published["name"])
    assert fine.status_code == 201, fine.text
    theirs = await describe(
        call, consumer, type="dinsos-pmd.aid.given.v1", interface=published["name"]
    )
    assert theirs.status_code == 422


async def test_a_deprecated_type_names_its_successor_and_its_end(call, provider):
    await describe(call, provider)
    await describe(call, provider, type="dp3acskb.birth.recorded.v2")
    path = f"/v1/topics/{TYPE}/deprecate"
    refused = await call("POST", path, provider, json={"successor": "dp3acskb.birth.gone.v9"})
    assert refused.status_code == 422
    done = await call("POST", path, provider, json={"successor": "dp3acskb.birth.recorded.v2"})
    assert (done.json()["state"], done.json()["retires_at"]) == (
        "deprecated",
        "2027-11-25T08:00:00Z",
    )


async def test_the_asyncapi_document_holds_every_type(call, provider):
    await describe(call, provider)
    document = (await call("GET", "/v1/asyncapi.json")).json()
    assert document["asyncapi"] == "3.0.0"
    channel = document["channels"]["dp3acskb_birth_recorded_v1"]
    assert channel["address"] == f"sebalai.{TYPE}"
    message = document["components"]["messages"]["dp3acskb_birth_recorded_v1"]
    assert message["payload"]["schemaFormat"].endswith("draft-2020-12")
    assert message["payload"]["schema"]["properties"]["data"] == wanted()["schema"]
    assert set(document["operations"]) == {
        "hear_dp3acskb_birth_recorded_v1",
        "publish_dp3acskb_birth_recorded_v1",
    }
