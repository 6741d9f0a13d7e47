"""Bodies that could be looked at for hours: checked beside the loop, within a second, or not passed."""

import asyncio
import json

import pytest
from sebalai_gateway.calls.bodies import RequestBody
from sebalai_gateway.refusals import Refusal
from sebalai_gateway.routing.paths import parse
from sebalai_gateway.routing.snapshot import Interface
from sebalai_gateway.validation import aside as asides
from sebalai_gateway.validation.aside import Aside, Crowded
from sebalai_gateway.validation.burden import Burdens
from sebalai_gateway.validation.check import Check, Head
from sebalai_gateway.validation.contract import Contract

FILTER = {"$ref": "#/components/schemas/Filter"}
# `and` and `or` of a filter: each level is looked at twice as often as the one above it.
BRANCHING = {"anyOf": [
    {"required": [name], "properties": {"inner": FILTER}} for name in ("and", "or")
]}  # fmt: skip
LIST = {"type": "object", "properties": {"inner": FILTER}}
JSON = Head("application/json")
ASKED = parse(b"/r1/ID-BB/GOV/a/b/c/search")


def nested(depth):
    return b'{"inner":' * depth + b"{}" + b"}" * depth


def pack(schema):
    document = {"checks": [FILTER], "components": {"schemas": {"Filter": schema}}}
    operation = {
        "method": "POST", "path": "/search", "parameters": [], "body_required": True,
        "request": {"application/json": 0}, "responses": {"200": {"application/json": 0}},
    }  # fmt: skip
    return json.dumps({"draft": 4, "document": document, "operations": [operation]}).encode()


@pytest.fixture
def contract(tmp_path):
    def write(schema):
        file = tmp_path / "contract.json"
        file.write_bytes(pack(schema))
        return Contract(file.read_bytes(), file)

    return write


@pytest.fixture
async def aside():
    made = Aside()
    yield made
    await made.close()


def body(whole):
    left = [whole]

    async def read():
        return left.pop() if left else b""

    return RequestBody(read, 10**9, None)


def enforcing(contract, aside):
    interface = Interface("i", "n", "p", "a", [], validate_requests="enforce",
                          validate_responses="enforce")  # fmt: skip
    return Check(interface, contract, aside)


@pytest.mark.parametrize(
    ("schema", "is_bounded"),
    [
        ({"type": "string"}, True),
        ({"properties": {str(n): {"type": "string"} for n in range(50)}}, True),
        (LIST, False),
        (BRANCHING, False),
        ({"$ref": "#/nowhere"}, False),
        ({"$dynamicRef": "#x"}, False),
        ({"allOf": [{"$ref": "#/components/schemas/Filter"}]}, False),
    ],
)
def test_what_leads_back_to_itself_has_no_bound(schema, is_bounded):
    burdens = Burdens(json.loads(pack(schema))["document"])
    assert (burdens.of(0) is not None) == is_bounded


def test_schemas_that_double_thirty_times_are_not_counted_through():
    schemas = {str(n): {"anyOf": [{"$ref": f"#/schemas/{n + 1}"}] * 2} for n in range(30)}
    document = {"checks": [{"$ref": "#/schemas/0"}], "schemas": schemas | {"30": {}}}
    assert Burdens(document).of(0) is None


async def test_calls_go_on_while_a_body_is_looked_at_for_hours_and_it_does_not_pass(
    contract, aside
):
    check, ticks = enforcing(contract(BRANCHING), aside), 0

    async def tick():
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1

    other = asyncio.create_task(tick())
    with pytest.raises(Refusal) as caught:
        await check.request("POST", ASKED, b"", JSON, body(nested(40)))
    other.cancel()
    assert (caught.value.status, caught.value.slug) == (400, "request-invalid")
    assert "request.body: cannot be checked in 1 s" in caught.value.detail
    assert ticks > 10


async def test_the_next_body_is_checked_by_another_child(contract, aside):
    made = contract(BRANCHING)
    with pytest.raises(Refusal):
        await enforcing(made, aside).request("POST", ASKED, b"", JSON, body(nested(40)))
    good, bad = enforcing(made, aside), enforcing(made, aside)
    await good.request("POST", ASKED, b"", JSON, body(b'{"and": 1, "inner": {"or": 1}}'))
    assert good.deviations == []
    with pytest.raises(Refusal) as caught:
        await bad.request("POST", ASKED, b"", JSON, body(b'{"and": 1, "inner": {}}'))
    assert "request.body: anyOf" in caught.value.detail


async def test_an_answer_is_checked_beside_the_loop_too(contract, aside):
    check = enforcing(contract(BRANCHING), aside)
    await check.request("POST", ASKED, b"", JSON, body(b'{"and": 1}'))
    check.see(b"{}")
    with pytest.raises(Refusal) as caught:
        await check.response(200, JSON)
    assert (caught.value.status, check.deviations) == (502, ["response.body: anyOf"])


async def test_a_call_that_is_given_up_leaves_no_answer_for_the_next(contract, aside):
    made = contract(BRANCHING)
    lost = asyncio.create_task(
        enforcing(made, aside).request("POST", ASKED, b"", JSON, body(nested(40)))
    )
    await asyncio.sleep(0.3)
    lost.cancel()
    with pytest.raises(asyncio.CancelledError):
        await lost
    check = enforcing(made, aside)
    await check.request("POST", ASKED, b"", JSON, body(b'{"and": 1}'))
    assert check.deviations == []


async def test_more_bodies_of_a_contract_than_may_wait_are_told_to_come_again(
    contract, aside, monkeypatch
):
    monkeypatch.setattr(asides, "WAITING_MAX", 0)
    made = contract(BRANCHING)
    order = made.order(made.operation("POST", "/search"), "request", query="", said={}, media=None)
    with pytest.raises(Crowded):
        await aside.deviations(order, b"{}")
    with pytest.raises(Refusal) as caught:
        await enforcing(made, aside).request("POST", ASKED, b"", JSON, body(b"{}"))
    assert caught.value.status == 503
    monitor = Check(Interface("i", "n", "p", "a", [], validate_requests="monitor"), made, aside)
    await monitor.request("POST", ASKED, b"", JSON, body(b"{}"))
    assert monitor.deviations == []
