"""What a gateway gets when it asks, and that a version never stands for two contents."""

import json
from datetime import timedelta

import pytest
from joserfc import jws
from joserfc.jwk import ECKey
from sebalai_exchange.app import exchange_app
from sebalai_exchange.routes import actions
from sqlalchemy import text

GROUP = {"name": "ID-BB/GOV/dp3acskb/kependudukan/groups/semua", "title": "Semua"}
WHY = {"reason": "dasar hukum dicabut"}


@pytest.fixture
def routes(call, gateway, keys):
    key = ECKey.import_key(json.loads((keys / "routes.jwk").read_text()))

    async def routes(after=0):
        answer = await call("GET", "/internal/routes", gateway, params={"after": after})
        if answer.status_code == 304:
            return None
        assert answer.status_code == 200, answer.text
        return json.loads(jws.deserialize_compact(answer.content, key, ["ES256"]).payload)

    return routes


async def test_first_snapshot_is_there_before_anything_is_published(routes):
    first = await routes()
    assert (first["interfaces"], first["agreements"], first["instance"]) == ([], [], "ID-BB")
    assert await routes(first["version"]) is None


async def test_granted_agreement_and_interface_stand_as_the_gateway_needs_them(
    routes, published, granted
):
    snapshot = await routes()
    assert snapshot["interfaces"] == [
        {
            "id": published["id"],
            "name": "ID-BB/GOV/dp3acskb/kependudukan/penduduk",
            "provider": "ID-BB/GOV/dp3acskb/kependudukan",
            "agency": "dp3acskb",
            "addresses": ["http://127.0.0.1:8820"],
            "contract_sha256": published["contract_sha256"],
            "state": "active",
            "member": None,
            "connect_timeout_ms": 2000,
            "read_timeout_ms": 10000,
            "total_timeout_ms": 30000,
            "max_request_bytes": 10485760,
            "max_concurrency": 512,
            "validate_requests": "off",
            "validate_responses": "off",
            "deprecated_at": None,
            "sunset_at": None,
            "trust_anchors": "",
            "credential": None,
        }
    ]
    assert snapshot["agreements"] == [
        {
            "id": granted["id"],
            "series": granted["series"],
            "consumer": "ID-BB/GOV/dinsos-pmd/bansos",
            "interface": "ID-BB/GOV/dp3acskb/kependudukan/penduduk",
            "rules": [{"id": "r1", "method": "GET", "path": "/residents/*"}],
            "purposes": [{"code": "verifikasi-bansos", "legal_basis": "Permensos 3/2021"}],
            "valid_from": "2026-11-24T08:00:00.000Z",
            "valid_until": "2027-11-24T08:00:00.000Z",
            "quota_per_day": 100000,
            "rate_per_second": 50,
            "burst": 100,
            "quota_per_month": None,
            "min_assurance": 0,
            "bound_addresses": [],
            "bound_certificates": [],
            "signing": "none",
        }
    ]
    assert snapshot["groups"] == []
    assert "after" not in snapshot


async def test_each_decision_raises_the_version_and_shows_at_once(
    call, routes, provider, requested
):
    path = f"/v1/agreements/{requested['id']}"
    version = (await routes())["version"]
    assert (await routes())["agreements"] == []
    whole = {"grant": 1, "suspend": 0, "resume": 1, "revoke": 0}
    for step, count in (("grant", 1), ("suspend", 0), ("resume", 1), ("revoke", 0)):
        body = {} if step == "grant" else {"json": WHY}
        assert (await call("POST", f"{path}/{step}", provider, **body)).status_code == 200
        snapshot = await routes(version)
        assert snapshot["version"] > version
        assert snapshot["after"] == version
        assert len(snapshot["agreements"]) == count, step
        assert snapshot["gone"]["agreements"] == ([] if count else [requested["id"]])
        assert len((await routes())["agreements"]) == whole[step], step
        version = snapshot["version"]
    assert await routes(version) is None


async def test_retired_interface_is_gone_and_its_agreements_wait_for_its_return(
    call, routes, provider, published, granted
):
    before = (await routes())["version"]
    await call("POST", f"/v1/interfaces/{published['id']}/retire", provider, json=WHY)
    change = await routes(before)
    assert (change["interfaces"], change["gone"]["interfaces"]) == ([], [published["name"]])
    # A change that brings the interface back does not name them again, so they stay.
    snapshot = await routes()
    assert (snapshot["interfaces"], len(snapshot["agreements"])) == ([], 1)


async def test_too_many_changes_are_told_as_a_whole(routes, granted, monkeypatch):
    monkeypatch.setattr(actions, "CHANGES_MAX", 0)
    assert "after" not in await routes(1)


async def test_what_was_deleted_by_hand_makes_older_gateways_take_all(routes, granted, database):
    before = (await routes())["version"]
    async with database.transaction() as session:
        await session.execute(text("DELETE FROM agreement"))
    after = await routes(before)
    assert "after" not in after
    assert after["agreements"] == []


async def test_kept_whole_of_a_large_table_is_given_with_the_change_to_follow(
    call, routes, provider, granted, monkeypatch, keys
):
    monkeypatch.setattr(actions, "SMALL_TABLE", 0)
    kept = await routes()
    await call("POST", "/v1/groups", provider, json=GROUP)
    again = await routes()
    assert again["version"] == kept["version"]
    assert len((await routes(again["version"]))["groups"]) == 1


async def test_agreement_that_is_over_is_left_out_of_the_next_version(
    call, routes, provider, granted, interface_wanted, clock
):
    clock.move(timedelta(days=366))
    await call("POST", "/v1/interfaces", provider, json=interface_wanted(title="Baru lagi"))
    assert (await routes())["agreements"] == []


async def test_same_version_is_the_same_bytes(call, gateway, granted):
    answers = [await call("GET", "/internal/routes", gateway) for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert answers[0].headers["Content-Type"] == "application/jose"


async def test_only_a_few_old_snapshots_are_kept(
    call, routes, provider, interface_wanted, database
):
    for number in range(8):
        wanted = interface_wanted(title=f"Nomor {number}")
        await call("POST", "/v1/interfaces", provider, json=wanted)
        await routes()
    async with database.transaction() as session:
        assert await session.scalar(text("SELECT count(*) FROM routes_snapshot")) <= 6


async def test_change_past_the_application_raises_the_version_too(routes, granted, database):
    before = (await routes())["version"]
    async with database.transaction() as session:
        await session.execute(text("UPDATE agreement SET state = 'revoked'"))
    after = await routes(before)
    assert after["agreements"] == []


async def test_only_the_gateway_may_ask(call, operator, consumer, gateway):
    assert (await call("GET", "/internal/routes")).status_code in {401, 403}
    for caller in (operator, consumer):
        assert (await call("GET", "/internal/routes", caller)).status_code == 403
    answer = await call("GET", "/internal/routes", gateway, params={"after": -1})
    assert answer.status_code == 422


async def test_without_a_key_no_routes_are_given(settings, database, clock, gateway, call):
    bare = settings.model_copy(update={"routes_key_file": None})
    keyless = type(call)(exchange_app(bare, database, clock), settings._asserter)
    answer = await keyless("GET", "/internal/routes", gateway)
    assert answer.status_code == 503
