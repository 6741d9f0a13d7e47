"""Other instances: named by the operator alone, told to gateways, ended at once."""

import json

import pytest
from joserfc import jws
from joserfc.jwk import ECKey
from sqlalchemy import text

KEY = {"kty": "EC", "crv": "P-256", "x": "a" * 43, "y": "b" * 43, "kid": "k"}
LEDGER = "x.example/ledger+0a0b0c0d+" + "A" * 43 + "="
OURS = "ID-BB/GOV/dp3acskb/kependudukan/penduduk"
THEIRS = "ID-BK/GOV/dinkes/rekam/pasien"
PATH = "/v1/peers/ID-BK"


def wanted(**more):
    told = {"gateway": "http://127.0.0.1:9", "keys": [KEY], "ledger_key": LEDGER, "offers": [OURS]}
    return told | more


@pytest.fixture
def routes(call, gateway, keys):
    key = ECKey.import_key(json.loads((keys / "routes.jwk").read_text()))

    async def routes(after=0):
        answer = await call("GET", "/internal/routes", gateway, params={"after": after})
        return json.loads(jws.deserialize_compact(answer.content, key, ["ES256"]).payload)

    return routes


async def test_operator_names_a_peer_and_everybody_reads_it(call, operator, consumer):
    more = wanted(keys=[KEY | {"alg": "ES256", "use": "sig"}])
    named = await call("PUT", PATH, operator, json=more)
    assert named.status_code == 200, named.text
    assert named.json()["keys"] == [KEY]
    assert (await call("GET", "/v1/peers", consumer)).json()["items"] == [named.json()]
    again = await call("PUT", PATH, operator, json=wanted(offers=[]))
    assert again.json()["offers"] == []


async def test_each_word_about_a_peer_is_a_fact_with_all_that_is_trusted(call, operator, database):
    """A key that was trusted for an hour must not be gone with the next word."""
    await call("PUT", PATH, operator, json=wanted())
    await call("PUT", PATH, operator, json=wanted(keys=[KEY | {"kid": "another"}], offers=[]))
    await call("POST", f"{PATH}/end", operator, json={"reason": "sudah"})
    async with database.transaction() as session:
        rows = await session.execute(text("SELECT type, document FROM outbox ORDER BY seq"))
        facts = [(row.type, row.document["data"]) for row in rows]
    told = [(kind, data["keys"], data["offers"]) for kind, data in facts]
    named, ended = "exchange.peer.named.v1", "exchange.peer.ended.v1"
    assert told == [(named, ["k"], [OURS]), (named, ["another"], []), (ended, ["another"], [])]
    assert {data["by"] for _, data in facts} == {operator.application}


async def test_nobody_else_names_or_ends_one(call, operator, provider):
    await call("PUT", PATH, operator, json=wanted())
    for answer in (
        await call("PUT", PATH, provider, json=wanted()),
        await call("POST", f"{PATH}/end", provider, json={"reason": "sudah"}),
    ):
        assert answer.status_code == 403
        assert answer.json()["type"] == "urn:sebalai:problem:peers-reserved"


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("/v1/peers/ID-BB", {}), ("/v1/peers/id-bk", {}), (PATH, {"keys": []}),
        (PATH, {"keys": [KEY | {"kty": "RSA"}]}), (PATH, {"gateway": "ftp://x"}),
        (PATH, {"gateway": "http://x/path"}), (PATH, {"ledger_key": "x"}), (PATH, {"offers": [THEIRS]}),
    ],
)  # fmt: skip
async def test_what_cannot_be_trusted_is_422(call, operator, path, change):
    assert (await call("PUT", path, operator, json=wanted(**change))).status_code == 422


async def test_an_unknown_peer_is_not_ended(call, operator):
    answer = await call("POST", f"{PATH}/end", operator, json={"reason": "sudah"})
    assert answer.status_code == 404


async def test_gateways_are_told_of_peers_and_of_their_end(call, operator, routes):
    await call("PUT", PATH, operator, json=wanted())
    whole = await routes()
    assert whole["peers"] == [
        {"instance": "ID-BK", "gateway": "http://127.0.0.1:9", "keys": [KEY], "offers": [OURS]}
    ]
    await call("POST", f"{PATH}/end", operator, json={"reason": "sudah"})
    change = await routes(whole["version"])
    assert (change["peers"], change["gone"]["peers"]) == ([], ["ID-BK"])


async def test_their_interface_stands_at_their_gateway_and_nowhere_else(
    call, operator, provider, interface_wanted
):
    body = interface_wanted(name=THEIRS, addresses=[f"http://127.0.0.1:9/r1/{THEIRS}"])
    unnamed = await call("POST", "/v1/interfaces", operator, json=body)
    assert (unnamed.status_code, unnamed.json()["errors"][0]["pointer"]) == (422, "/name")
    await call("PUT", PATH, operator, json=wanted())
    away = await call("POST", "/v1/interfaces", operator, json=body | {"addresses": ["http://x"]})
    assert (away.status_code, away.json()["errors"][0]["pointer"]) == (422, "/addresses")
    assert (await call("POST", "/v1/interfaces", provider, json=body)).status_code == 403
    made = await call("POST", "/v1/interfaces", operator, json=body)
    assert (made.status_code, made.json()["provider"]) == (201, "ID-BK/GOV/dinkes/rekam")
