"""Versions of a contract: what breaks is named, what cannot be read is refused with a reason."""

import asyncio
import json

import pytest
from sebalai_exchange.app import exchange_app
from sebalai_exchange.interfaces.jobs import forget_unpublished
from sebalai_exchange.openapi.running import ContractReader
from sebalai_shared.ids import uuid7
from sebalai_shared.testing.http import in_process, system
from sqlalchemy import text

WHY = {"reason": "diganti"}


def contract(paths, version="1", **more):
    return {
        "openapi": "3.0.3",
        "info": {"title": "Penduduk", "version": version},
        "paths": paths,
    } | more


def get(schema, *, parameters=()):
    content = {"application/json": {"schema": schema}}
    return {
        "get": {
            "parameters": list(parameters),
            "responses": {"200": {"description": "", "content": content}},
        }
    }


RESIDENT = {
    "type": "object",
    "required": ["name", "born"],
    "properties": {"name": {"type": "string"}, "born": {"type": "string", "nullable": True}},
}
FIRST = contract({"/residents/{id}": get(RESIDENT), "/status": get({"type": "string"})})


@pytest.fixture
async def first(call, provider, interface_wanted):
    answer = await call("POST", "/v1/interfaces", provider, json=interface_wanted(contract=FIRST))
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_wider_contract_is_the_next_version(call, provider, first, interface_wanted):
    extra = json.loads(json.dumps(FIRST))
    extra["info"]["version"] = "1.1"
    extra["paths"]["/residents/{number}"] = extra["paths"].pop("/residents/{id}")
    extra["paths"]["/families"] = get({"type": "string"}, parameters=[{"name": "q", "in": "query"}])
    wanted = interface_wanted(contract=extra)
    second = (await call("POST", "/v1/interfaces", provider, json=wanted)).json()
    assert (second["contract_version"], second["id"]) == (2, first["id"])
    same = (await call("POST", "/v1/interfaces", provider, json=wanted)).json()
    assert same["contract_version"] == 2
    listed = (await call("GET", f"/v1/interfaces/{first['id']}/versions")).json()["items"]
    assert [(one["number"], one["contract_version"]) for one in listed] == [(2, "1.1"), (1, "1")]


NARROWER = {
    "type": "object",
    "required": ["name"],
    "properties": {"name": {"type": "integer"}},
}


async def test_breaking_contract_is_refused_with_each_break_and_taken_when_accepted(
    call, provider, first, interface_wanted
):
    required = [{"name": "reason", "in": "query", "required": True, "schema": {"type": "string"}}]
    broken = contract({"/residents/{id}": get(NARROWER, parameters=required)}, "2")
    path = f"/v1/interfaces/{first['id']}/diff"
    told = (await call("POST", path, provider, json={"contract": broken})).json()
    assert not told["is_same"]
    wanted = interface_wanted(contract=broken)
    refused = await call("POST", "/v1/interfaces", provider, json=wanted)
    assert refused.status_code == 409
    assert refused.json()["type"] == "urn:sebalai:problem:breaking-change"
    assert refused.json()["breaks"] == told["breaks"]
    assert set(told["breaks"]) == {
        "GET /status: no longer offered",
        "GET /residents/{id}: query parameter reason is new and required",
        "GET /residents/{id}: answer 200: born is no longer always there",
        "GET /residents/{id}: answer 200/name: type string became integer",
    }
    taken = await call("POST", "/v1/interfaces", provider, json=wanted | {"accept_breaks": True})
    assert taken.json()["contract_version"] == 2
    listed = (await call("GET", f"/v1/interfaces/{first['id']}/versions")).json()["items"]
    assert listed[0]["breaks"] == told["breaks"]


async def test_large_contract_is_uploaded_and_published_by_its_digest(
    call, provider, interface_wanted
):
    large = contract(
        {f"/{n}": get({"type": "string", "description": "x" * 2000}) for n in range(600)}
    )
    body = json.dumps(large).encode()
    assert len(body) > 1024 * 1024
    kept = await call("POST", "/v1/contracts", provider, content=body)
    assert kept.status_code == 200, kept.text
    assert kept.json()["operations"] == 600
    wanted = interface_wanted(contract_sha256=kept.json()["sha256"])
    del wanted["contract"]
    made = await call("POST", "/v1/interfaces", provider, json=wanted)
    assert made.json()["contract_sha256"] == kept.json()["sha256"]
    unknown = await call(
        "POST", "/v1/interfaces", provider, json=wanted | {"contract_sha256": "0" * 64}
    )
    assert unknown.json()["errors"][0]["pointer"] == "/contract_sha256"
    both = await call("POST", "/v1/interfaces", provider, json=wanted | {"contract": FIRST})
    assert both.status_code == 422


async def test_checked_contract_gives_gateways_its_schemas(
    call, provider, gateway, interface_wanted
):
    wanted = interface_wanted(
        contract=FIRST, validation={"requests": "enforce", "responses": "monitor"}
    )
    made = (await call("POST", "/v1/interfaces", provider, json=wanted)).json()
    assert made["validation"] == {"requests": "enforce", "responses": "monitor"}
    path = f"/internal/contracts/{made['contract_sha256']}"
    pack = (await call("GET", path, gateway)).json()
    assert pack["draft"] == 4
    check = pack["operations"][0]["responses"]["200"]["application/json"]
    assert pack["document"]["checks"][check]["properties"]["born"]["type"] == ["string", "null"]
    assert (await call("GET", path, provider)).status_code == 403
    assert (await call("GET", f"/internal/contracts/{'0' * 64}", gateway)).status_code == 404


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (contract({"residents": get({})}), "begins with /"),
        (contract({"/a": {"get": {}}}), "/contract/paths/~1a/get/responses"),
        (contract({"/a": get({"$ref": "http://x.example/s.json"})}), "refers outside"),
        (contract({"/a": get({"$ref": "#/components/schemas/Gone"})}), "unusable schema"),
        (contract({"/a": {"$ref": "#/paths/~1a"}}), "refers to itself"),
        (contract({"/a": get({"type": "text"})}), "unusable schema"),
    ],
)
async def test_contract_that_cannot_be_used_is_refused_with_the_place(
    call, provider, interface_wanted, document, told
):
    wanted = interface_wanted(contract=document, validation={"requests": "enforce"})
    answer = await call("POST", "/v1/interfaces", provider, json=wanted)
    assert answer.status_code == 422, answer.text
    assert told in answer.text


async def test_deprecated_interface_says_until_when_and_publishing_again_takes_it_back(
    call, provider, consumer, first, interface_wanted
):
    path = f"/v1/interfaces/{first['id']}/deprecate"
    end = {
        "sunset_at": "2027-06-30T00:00:00Z",
        "successor": "ID-BB/GOV/dp3acskb/kependudukan/warga",
    }
    assert (await call("POST", path, consumer, json=end)).status_code == 403
    told = (await call("POST", path, provider, json=end)).json()
    assert (told["sunset_at"], told["successor"]) == (end["sunset_at"], end["successor"])
    past = await call("POST", path, provider, json={"sunset_at": "2020-01-01T00:00:00Z"})
    assert past.status_code == 422
    again = await call("POST", "/v1/interfaces", provider, json=interface_wanted(contract=FIRST))
    assert again.json()["deprecated_at"] is None


class WatchingReader(ContractReader):
    """Reads as always and notes how many connections are out of the pool meanwhile."""

    def __init__(self, database):
        super().__init__("http://bus.example")
        self._pool, self.held = database.engine.pool, []

    async def read(self, wanted):
        self.held.append(self._pool.checkedout())
        return await super().read(wanted)


@pytest.fixture
async def published_for_good(settings, committed, clock):
    """Calls an application whose transactions are real ones; empties what it made."""
    app = exchange_app(settings, committed, clock)
    app.state.contracts = WatchingReader(committed)
    client = in_process(app)

    async def post(path, caller, **more):
        headers = settings._asserter.headers(caller, "exchange") | {"Idempotency-Key": str(uuid7())}
        return await client.post(path, headers=headers, **more)

    yield post, app.state.contracts
    async with committed.transaction() as session:
        tables = "interface_version, interface, agreement, contract, outbox, idempotency"
        await session.execute(text(f"TRUNCATE {tables} CASCADE"))


async def test_no_transaction_is_open_while_a_contract_is_read(
    published_for_good, provider, interface_wanted
):
    post, reader = published_for_good
    made = await post("/v1/interfaces", provider, json=interface_wanted(contract=FIRST))
    assert made.status_code == 201, made.text
    path = f"/v1/interfaces/{made.json()['id']}/diff"
    assert (await post(path, provider, json={"contract": FIRST})).json()["is_same"]
    body = json.dumps(FIRST).encode()
    assert (await post("/v1/contracts", provider, content=body)).status_code == 200
    assert reader.held == [0, 0, 0]


async def test_two_who_publish_one_new_name_at_once_make_one_interface(
    published_for_good, provider, interface_wanted
):
    post, _ = published_for_good
    wanted = [
        interface_wanted(contract=FIRST),
        interface_wanted(contract=contract(FIRST["paths"], "1.1")),
    ]
    made = await asyncio.gather(*(post("/v1/interfaces", provider, json=one) for one in wanted))
    answers = sorted((one.status_code, one.json().get("type")) for one in made)
    assert answers == [(201, None), (409, "urn:sebalai:problem:contract-changed")]


async def test_contracts_are_read_only_for_who_may_publish(call, first):
    narrow = system("ID-BB/GOV/dinkes/puskesmas", "bus.call")
    body = json.dumps(FIRST).encode()
    answers = [
        await call("POST", "/v1/contracts", narrow, content=body),
        await call("POST", f"/v1/interfaces/{first['id']}/diff", narrow, json={"contract": FIRST}),
    ]
    assert [one.json()["type"] for one in answers] == ["urn:sebalai:problem:reading-reserved"] * 2


async def test_an_uploaded_contract_that_nobody_publishes_is_forgotten(
    call, provider, first, database
):
    other = json.dumps(contract({"/other": get({})})).encode()
    kept = (await call("POST", "/v1/contracts", provider, content=other)).json()["sha256"]
    async with database.transaction() as session:
        await session.execute(text("UPDATE contract SET stored_at = now() - interval '6 days'"))
        await forget_unpublished(session)
        known = text("SELECT sha256 FROM contract ORDER BY sha256")
        both = sorted([kept, first["contract_sha256"]])
        assert list(await session.scalars(known)) == both
        await session.execute(text("UPDATE contract SET stored_at = now() - interval '8 days'"))
        await forget_unpublished(session)
        assert list(await session.scalars(known)) == [first["contract_sha256"]]
