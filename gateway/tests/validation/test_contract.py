"""Calls held against a contract: deviations name the place and the rule, never a value."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_gateway.calls.bodies import RequestBody
from sebalai_gateway.refusals import Refusal
from sebalai_gateway.routing.paths import parse
from sebalai_gateway.routing.snapshot import Interface
from sebalai_gateway.validation import check
from sebalai_gateway.validation.aside import Aside
from sebalai_gateway.validation.check import Check, Head, notices
from sebalai_gateway.validation.contract import Contract

NIK = "1971010101010001"
PACK = json.dumps({
    "draft": 4,
    "document": {
        "checks": [
            {"$ref": "#/components/schemas/Resident"},
            {"type": "object", "required": ["nik"], "properties": {"nik": {"type": "string"}}},
        ],
        "components": {"schemas": {"Resident": {
            "type": "object", "required": ["name"], "properties": {"name": {"type": ["string", "null"]}},
        }}},
    },
    "operations": [
        {"method": "GET", "path": "/residents/{id}", "parameters": [["path", "id", True, None]],
         "body_required": False, "request": {}, "responses": {"200": {"application/json": 0}}},
        {"method": "POST", "path": "/residents/search", "parameters": [["query", "q", True, None]],
         "body_required": True, "request": {"application/json": 1}, "responses": {"2XX": {}}},
    ],
}).encode()  # fmt: skip
JSON = Head("application/json; charset=utf-8")


@pytest.fixture
def contract():
    return Contract(PACK)


def test_described_call_deviates_in_nothing(contract):
    found = contract.operation("POST", "/residents/search")
    assert contract.request(found, b"q=1", JSON.media, b'{"nik": "x"}') == []
    read = contract.operation("GET", "/residents/12")
    assert contract.response(read, 200, JSON.media, b'{"name": null}') == []
    assert contract.response(read, 503, None, b"down") == []


@pytest.mark.parametrize("schema", [{"$ref": "#/nowhere"}, {"$ref": "http://127.0.0.1:1/x"}])
def test_schema_that_cannot_be_used_is_a_deviation_and_no_broken_call(schema):
    pack = json.loads(PACK)
    pack["document"]["checks"][1] = schema
    contract = Contract(json.dumps(pack).encode())
    found = contract.operation("POST", "/residents/search")
    told = contract.request(found, b"q=", JSON.media, b'{"nik": "x"}')
    assert told == ["request.body: the contract's schema cannot be used"]


@pytest.mark.parametrize(
    ("query", "media", "body", "told"),
    [
        (b"", JSON.media, b'{"nik": "x"}', ["request.query: q required"]),
        (b"q=", JSON.media, b"", ["request.body: required"]),
        (b"q=", JSON.media, b"{", ["request.body: not JSON"]),
        (b"q=", "text/xml", b"<a/>", ["request.body: medium not described"]),
        (b"q=", JSON.media, b"{}", ["request.body: required"]),
        (b"q=", JSON.media, f'{{"nik": {NIK}}}'.encode(), ["request.body/nik: type"]),
    ],
)
def test_request_that_deviates_is_told_where(contract, query, media, body, told):
    found = contract.operation("POST", "/residents/search")
    assert contract.request(found, query, media, body) == told


@pytest.mark.parametrize(
    "text",
    ['{"nik": "x", "nik": 5}', '{"nik": "x", "a": [{"b": 1, "b": 1}]}', "[" * 999 + "]" * 999],
)
def test_a_body_that_two_readers_could_read_differently_deviates(contract, text):
    found = contract.operation("POST", "/residents/search")
    told = contract.request(found, b"q=", JSON.media, text.encode())
    assert told[0].startswith("request.body: ")


def test_a_body_where_none_is_described_deviates(contract):
    read = contract.operation("GET", "/residents/12")
    assert contract.request(read, b"", JSON.media, b"{}") == ["request.body: not described"]


def test_not_modified_is_an_answer_of_http_itself(contract):
    read = contract.operation("GET", "/residents/12")
    assert contract.response(read, 304, None, b"") == []


def test_two_types_of_one_body_are_none(contract):
    """One reader takes the first, the other the last, and only one of them is checked."""
    types = [(b"content-type", b"application/json"), (b"Content-Type", b"text/plain")]
    head = Head.of(types)
    found = contract.operation("POST", "/residents/search")
    told = contract.request(found, b"q=", head.media, b'{"nik": "x"}')
    assert told == ["request.body: medium not described"]
    assert Head.of([(b"content-encoding", b"gzip"), (b"content-encoding", b"identity")]).is_encoded


def test_answer_that_deviates_is_told_where(contract):
    read = contract.operation("GET", "/residents/12")
    assert contract.response(read, 200, JSON.media, b"{}") == ["response.body: required"]
    assert contract.response(read, 404, JSON.media, b"{}") == ["response.status: 404 not described"]
    assert contract.operation("DELETE", "/residents/12") is None


@given(st.dictionaries(st.text(max_size=30), st.integers() | st.text(), max_size=3))
def test_no_deviation_repeats_a_long_number(document):
    contract = Contract(PACK)
    found = contract.operation("POST", "/residents/search")
    body = json.dumps(document | {"nik": int(NIK)}).encode()
    assert NIK not in str(contract.request(found, b"q=", JSON.media, body))


def interface(**modes):
    return Interface("i", "n", "p", "a", ["http://127.0.0.1:1"], **modes)


def body(*chunks):
    left = [*chunks]

    async def read():
        return left.pop(0) if left else b""

    return RequestBody(read, 10**9, None)


async def flows(request):
    return b"".join([chunk async for chunk in request.stream()])


ASKED = parse(b"/r1/ID-BB/GOV/a/b/c/residents/search")


async def test_enforced_request_is_refused_and_a_good_one_flows_whole(contract):
    enforcing = Check(interface(validate_requests="enforce"), contract, Aside())
    with pytest.raises(Refusal) as caught:
        await enforcing.request("POST", ASKED, b"q=", JSON, body(b"{", b"}"))
    assert (caught.value.status, caught.value.slug) == (400, "request-invalid")
    assert enforcing.deviations == ["request.body: required"]
    good = body(b'{"nik"', b': "x"}')
    await Check(interface(validate_requests="enforce"), contract, Aside()).request(
        "POST", ASKED, b"q=", JSON, good
    )
    assert await flows(good) == b'{"nik": "x"}'


async def test_monitored_request_is_noted_and_flows(contract):
    noting = Check(interface(validate_requests="monitor"), contract, Aside())
    sent = body(b"{}")
    await noting.request("POST", ASKED, b"q=", JSON, sent)
    assert noting.deviations == ["request.body: required"]
    assert await flows(sent) == b"{}"


async def test_large_body_passes_a_monitor_whole_and_stops_at_an_enforcer(contract, monkeypatch):
    monkeypatch.setattr(check, "CHECKED_BYTES_MAX", 4)
    large = body(b"abc", b"def", b"ghi")
    await Check(interface(validate_requests="monitor"), contract, Aside()).request(
        "POST", ASKED, b"q=", JSON, large
    )
    assert await flows(large) == b"abcdefghi"
    with pytest.raises(Refusal) as caught:
        await Check(interface(validate_requests="enforce"), contract, Aside()).request(
            "POST", ASKED, b"q=", JSON, body(b"abc", b"def")
        )
    assert caught.value.status == 413


async def test_enforced_answer_is_held_back_and_refused(contract):
    enforcing = Check(interface(validate_responses="enforce"), contract, Aside())
    target = parse(b"/r1/ID-BB/GOV/a/b/c/residents/12")
    await enforcing.request("GET", target, b"", Head(), body(b""))
    enforcing.see(b'{"name":')
    enforcing.see(b" 1}")
    with pytest.raises(Refusal) as caught:
        await enforcing.response(200, JSON)
    assert (caught.value.status, caught.value.slug) == (502, "response-invalid")
    assert "response.body/name: type" in caught.value.detail
    with pytest.raises(Refusal):
        await enforcing.response(200, Head(JSON.media, is_encoded=True))


async def test_enforcing_without_the_contract_refuses_and_monitoring_goes_on():
    class Absent:
        aside = Aside()

        async def ready(self, *_):
            return None

    with pytest.raises(Refusal) as caught:
        await check.begin(interface(validate_responses="enforce"), Absent())
    assert (caught.value.status, caught.value.slug) == (503, "contract-unavailable")
    monitor = await check.begin(interface(validate_requests="monitor"), Absent())
    await monitor.request("POST", ASKED, b"", Head(), body(b"x"))
    assert monitor.deviations == []
    assert await check.begin(interface(), Absent()) is None


def test_announced_end_stands_in_the_answers_head():
    told = notices(interface(deprecated_at=1_795_000_000, sunset_at=1_814_313_600))
    assert told == [
        (b"deprecation", b"@1795000000"),
        (b"sunset", b"Wed, 30 Jun 2027 00:00:00 GMT"),
    ]
    assert notices(interface()) == []
