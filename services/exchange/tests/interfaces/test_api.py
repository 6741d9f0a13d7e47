"""Publishing, finding and retiring interfaces over HTTP."""

import json
from hashlib import sha256

import pytest
from sebalai_shared.testing.http import system
from sqlalchemy import text

JSON = {"Content-Type": "application/json"}
NAME = "ID-BB/GOV/dp3acskb/kependudukan/penduduk"


async def events(database):
    async with database.transaction() as session:
        rows = await session.execute(text("SELECT type, document FROM outbox ORDER BY seq"))
        return [(row.type, row.document["data"]) for row in rows]


async def test_provider_publishes_and_everyone_finds_it(call, provider, published, database):
    assert published["provider"] == "ID-BB/GOV/dp3acskb/kependudukan"
    assert published["agency"] == "dp3acskb"
    assert published["state"] == "active"
    assert published["addresses"] == ["http://127.0.0.1:8820"]
    assert published["limits"]["read_timeout_ms"] == 10_000
    assert published["limits"]["max_concurrency"] == 512
    found = (await call("GET", f"/v1/interfaces/{published['id']}")).json()
    assert found == published | {"addresses": None, "trust_anchors": None}
    listed = (await call("GET", "/v1/interfaces", params={"agency": "dp3acskb"})).json()
    assert listed == {"items": [found], "next": None}
    (fact,) = await events(database)
    assert fact == (
        "exchange.interface.published.v1",
        {
            "interface_id": published["id"],
            "interface": NAME,
            "provider": published["provider"],
            "agency": "dp3acskb",
            "contract_sha256": published["contract_sha256"],
            "by": published["provider"],
        },
    )


async def test_contract_is_served_in_the_bytes_of_its_digest(call, published):
    answer = await call("GET", f"/v1/interfaces/{published['id']}/contract")
    assert answer.headers["Content-Type"] == "application/openapi+json"
    assert sha256(answer.content).hexdigest() == published["contract_sha256"]
    assert answer.json()["info"] == {"title": "Penduduk", "version": "1"}


async def test_only_provider_and_operator_see_addresses(call, provider, operator, published):
    path = f"/v1/interfaces/{published['id']}"
    for caller in (provider, operator):
        assert (await call("GET", path, caller)).json()["addresses"] == ["http://127.0.0.1:8820"]


async def test_publishing_again_replaces_and_keeps_the_id(
    call, provider, published, interface_wanted, database
):
    wanted = interface_wanted(addresses=["http://10.0.0.5:80/base/"], title="Baru")
    wanted["contract"]["info"]["version"] = "2"
    again = (await call("POST", "/v1/interfaces", provider, json=wanted)).json()
    assert again["id"] == published["id"]
    assert again["addresses"] == ["http://10.0.0.5:80/base"]
    assert again["contract_sha256"] != published["contract_sha256"]
    async with database.transaction() as session:
        assert await session.scalar(text("SELECT count(*) FROM contract")) == 2


async def test_same_idempotency_key_publishes_once(call, provider, interface_wanted, database):
    headers = {"Idempotency-Key": "once"}
    first = await call("POST", "/v1/interfaces", provider, json=interface_wanted(), headers=headers)
    again = await call("POST", "/v1/interfaces", provider, json=interface_wanted(), headers=headers)
    assert again.json() == first.json()
    assert again.headers["Location"] == first.headers["Location"]
    assert len(await events(database)) == 1


async def test_stranger_and_scopeless_provider_may_not_publish(
    call, stranger, interface_wanted, database
):
    for caller in (stranger, system("ID-BB/GOV/dp3acskb/kependudukan", "bus.call")):
        answer = await call("POST", "/v1/interfaces", caller, json=interface_wanted())
        assert answer.status_code == 403
        assert answer.json()["type"] == "urn:sebalai:problem:not-the-provider"
        assert "exchange.manage" in answer.json()["detail"]
    assert (await call("POST", "/v1/interfaces", json=interface_wanted())).status_code == 401
    assert await events(database) == []


async def test_only_the_operator_publishes_for_a_platform_member(
    call, provider, operator, interface_wanted
):
    wanted = interface_wanted(member="exchange")
    assert (await call("POST", "/v1/interfaces", provider, json=wanted)).status_code == 403
    made = await call("POST", "/v1/interfaces", operator, json=wanted)
    assert made.json()["member"] == "exchange"
    taken = await call("POST", "/v1/interfaces", provider, json=interface_wanted())
    assert taken.json()["type"] == "urn:sebalai:problem:member-reserved"


@pytest.mark.parametrize(
    "change",
    [
        {"name": "ID-BB/GOV/dp3acskb/kependudukan"},
        {"name": "id-bb/GOV/dp3acskb/kependudukan/penduduk"},
        {"name": NAME + "\n"},
        {"name": NAME.replace("penduduk", "p" * 41)},
        {"addresses": []},
        {"addresses": ["ftp://x"]},
        {"addresses": ["http://user:pw@x"]},
        {"addresses": ["http://x/?q=1"]},
        {"addresses": ["http://x:99999"]},
        {"addresses": ["http://[::1"]},
        {"addresses": ["http:///x"]},
        {"addresses": ["http://x"] * 9},
        {"contract": {"openapi": "2.0"}},
        {"contract": {"openapi": 3.1}},
        {"contract": {"openapi": "3.1.0", "info": {}, "paths": {}}},
        {"contract": {"openapi": "3.1.0", "info": {"title": "a", "version": "1"}}},
        {"contract": []},
        {"title": "a\u0000b"},
        {"title": "warga 1971010101010001"},
        {"member": "portal"},
        {"limits": {"total_timeout_ms": 100}},
        {"limits": {"max_request_bytes": -1}},
        {"limits": {"max_concurrency": 0}},
        {"unknown": 1},
    ],
)
async def test_malformed_interface_is_422_with_the_field(call, provider, interface_wanted, change):
    answer = await call("POST", "/v1/interfaces", provider, json=interface_wanted(**change))
    assert answer.status_code == 422
    assert f"/{next(iter(change))}" in answer.json()["detail"]


async def test_contract_that_is_no_plain_json_is_422(call, provider, interface_wanted):
    for extra in ({"\ud800": 1}, {"x": float("nan")}):
        wanted = interface_wanted()
        wanted["contract"] |= extra
        answer = await call(
            "POST", "/v1/interfaces", provider, content=json.dumps(wanted), headers=JSON
        )
        assert answer.status_code == 422, extra
        assert "/contract" in str(answer.json()["errors"])


async def test_contract_with_the_bounds_of_int64_is_taken(call, provider, interface_wanted):
    wanted = interface_wanted()
    wanted["contract"] |= {"x-largest": 2**63 - 1}
    answer = await call("POST", "/v1/interfaces", provider, json=wanted)
    assert answer.status_code == 201, answer.text


async def test_contract_nests_to_the_limit_and_no_deeper(call, provider, interface_wanted):
    for levels, status in ((63, 201), (64, 422), (200, 422)):
        deep, nested = interface_wanted(), 1
        for _ in range(levels):
            nested = [nested] if levels % 2 else {"x": nested}
        deep["contract"]["x-deep"] = nested
        answer = await call("POST", "/v1/interfaces", provider, json=deep)
        assert answer.status_code == status, levels


async def test_retired_interface_is_gone_for_others_and_returns_when_published(
    call, provider, stranger, published, interface_wanted, database
):
    path = f"/v1/interfaces/{published['id']}"
    why = {"reason": "diganti versi baru"}
    assert (await call("POST", f"{path}/retire", stranger, json=why)).status_code == 403
    retired = await call("POST", f"{path}/retire", provider, json=why)
    assert retired.json()["state"] == "retired"
    assert (await call("POST", f"{path}/retire", provider, json=why)).status_code == 200
    assert (await call("GET", path, stranger)).status_code == 404
    assert (await call("GET", path, provider)).json()["state"] == "retired"
    assert (await call("GET", "/v1/interfaces", stranger)).json()["items"] == []
    back = await call("POST", "/v1/interfaces", provider, json=interface_wanted())
    assert (back.json()["id"], back.json()["state"]) == (published["id"], "active")
    assert [kind for kind, _ in await events(database)] == [
        "exchange.interface.published.v1",
        "exchange.interface.retired.v1",
        "exchange.interface.published.v1",
    ]


async def test_list_goes_by_pages_and_filters(call, provider, interface_wanted):
    for name in ("a", "b", "c"):
        wanted = interface_wanted(name=f"ID-BB/GOV/dp3acskb/kependudukan/{name}")
        await call("POST", "/v1/interfaces", provider, json=wanted)
    first = (await call("GET", "/v1/interfaces", params={"limit": 2})).json()
    assert [item["name"][-1] for item in first["items"]] == ["a", "b"]
    rest = (await call("GET", "/v1/interfaces", params={"cursor": first["next"]})).json()
    assert [item["name"][-1] for item in rest["items"]] == ["c"]
    only = {"name": "ID-BB/GOV/dp3acskb/kependudukan/b", "provider": provider.application}
    assert len((await call("GET", "/v1/interfaces", params=only)).json()["items"]) == 1
    assert (await call("GET", "/v1/interfaces", params={"agency": "lain"})).json()["items"] == []
    assert (await call("GET", "/v1/interfaces", params={"cursor": "%%"})).status_code == 422


async def test_unknown_interface_is_404(call):
    path = "/v1/interfaces/0199d0c0-0000-7000-8000-000000000001"
    assert (await call("GET", path)).status_code == 404
    assert (await call("GET", f"{path}/contract")).status_code == 404
    assert (await call("GET", "/v1/interfaces/nothing")).status_code == 422
