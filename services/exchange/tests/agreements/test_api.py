"""From request to grant, suspension and end, as both sides meet it."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sebalai_exchange.agreements.schema import RuleWanted
from sebalai_shared.testing.http import system
from sqlalchemy import text

CONSUMER = "ID-BB/GOV/dinsos-pmd/bansos"
PROVIDER = "ID-BB/GOV/dp3acskb/kependudukan"
WHY = {"reason": "dasar hukum dicabut"}


async def facts(database):
    async with database.transaction() as session:
        rows = await session.execute(text("SELECT type FROM outbox ORDER BY seq"))
        return [row.type.removeprefix("exchange.agreement.") for row in rows][1:]


async def test_consumer_requests_and_provider_grants(call, consumer, requested, granted, database):
    assert requested["state"] == "requested"
    assert requested["provider"] == PROVIDER
    assert requested["rules"] == [{"id": "r1", "method": "GET", "path": "/residents/*"}]
    assert (requested["quota_per_day"], requested["burst"]) == (100_000, 100)
    assert granted["state"] == "granted"
    assert granted["granted_by"] == PROVIDER
    seen = await call("GET", f"/v1/agreements/{granted['id']}", consumer)
    assert seen.json() == granted
    assert await facts(database) == ["requested.v1", "granted.v1"]


async def test_fact_names_codes_and_never_the_free_text(call, provider, granted, database):
    await call("POST", f"/v1/agreements/{granted['id']}/revoke", provider, json=WHY)
    async with database.transaction() as session:
        query = text("SELECT document::text FROM outbox WHERE type LIKE 'exchange.agreement.%'")
        documents = (await session.scalars(query)).all()
    assert len(documents) == 3
    assert all("verifikasi-bansos" in document for document in documents)
    assert not any("dicabut" in document or "Permensos" in document for document in documents)


async def test_others_neither_see_nor_touch_it(call, stranger, requested):
    path = f"/v1/agreements/{requested['id']}"
    assert (await call("GET", path, stranger)).status_code == 404
    assert (await call("GET", path)).status_code == 401
    assert (await call("GET", "/v1/agreements", stranger)).json()["items"] == []
    for step in ("grant", "suspend", "resume", "revoke"):
        body = {} if step == "grant" else {"json": WHY}
        answer = await call("POST", f"{path}/{step}", stranger, **body)
        assert answer.status_code == 404, step


async def test_consumer_cannot_grant_its_own_request(call, consumer, requested):
    answer = await call("POST", f"/v1/agreements/{requested['id']}/grant", consumer)
    assert answer.status_code == 403
    assert answer.json()["type"] == "urn:sebalai:problem:own-request"


async def test_operator_cannot_grant_what_it_requested(call, operator, published, agreement_wanted):
    made = (await call("POST", "/v1/agreements", operator, json=agreement_wanted())).json()
    answer = await call("POST", f"/v1/agreements/{made['id']}/grant", operator)
    assert answer.json()["type"] == "urn:sebalai:problem:own-request"


async def test_one_agency_serves_itself_only_through_another_application(
    call, provider, published, agreement_wanted
):
    wanted = agreement_wanted(consumer=PROVIDER)
    own = (await call("POST", "/v1/agreements", provider, json=wanted)).json()
    assert (await call("POST", f"/v1/agreements/{own['id']}/grant", provider)).status_code == 403
    sibling = system("ID-BB/GOV/dp3acskb/lain", "exchange.manage")
    wanted = agreement_wanted(consumer=sibling.application)
    other = (await call("POST", "/v1/agreements", sibling, json=wanted)).json()
    assert (await call("POST", f"/v1/agreements/{other['id']}/grant", provider)).status_code == 200


async def test_provider_without_scope_cannot_grant(call, requested):
    plain = system(PROVIDER, "bus.call")
    answer = await call("POST", f"/v1/agreements/{requested['id']}/grant", plain)
    assert answer.status_code == 403
    assert answer.json()["type"] == "urn:sebalai:problem:step-not-yours"


async def test_suspended_agreement_resumes_and_revoked_one_does_not(
    call, consumer, provider, granted, database
):
    path = f"/v1/agreements/{granted['id']}"
    assert (await call("POST", f"{path}/suspend", consumer, json=WHY)).status_code == 403
    suspended = (await call("POST", f"{path}/suspend", provider, json=WHY)).json()
    assert (suspended["state"], suspended["reason"]) == ("suspended", WHY["reason"])
    assert (await call("POST", f"{path}/suspend", provider, json=WHY)).status_code == 409
    assert (await call("POST", f"{path}/resume", provider, json=WHY)).json()["state"] == "granted"
    assert (await call("POST", f"{path}/revoke", consumer, json=WHY)).json()["state"] == "revoked"
    again = await call("POST", f"{path}/grant", provider)
    assert again.status_code == 409
    assert again.json()["state"] == "revoked"
    assert await facts(database) == [
        "requested.v1",
        "granted.v1",
        "suspended.v1",
        "resumed.v1",
        "revoked.v1",
    ]


async def test_agreement_expires_by_itself(call, consumer, provider, requested, granted, clock):
    clock.move(timedelta(days=365))
    path = f"/v1/agreements/{granted['id']}"
    assert (await call("GET", path, consumer)).json()["state"] == "expired"
    assert (await call("POST", f"{path}/suspend", provider, json=WHY)).status_code == 409
    for state, count in (("expired", 1), ("granted", 0), ("revoked", 0)):
        listed = await call("GET", "/v1/agreements", consumer, params={"state": state})
        assert len(listed.json()["items"]) == count, state


async def test_step_without_a_reason_is_422(call, provider, granted):
    path = f"/v1/agreements/{granted['id']}/suspend"
    assert (await call("POST", path, provider, json={})).status_code == 422
    assert (await call("POST", path, provider, json={"reason": " "})).status_code == 422


async def test_request_for_another_application_is_403(call, stranger, published, agreement_wanted):
    answer = await call("POST", "/v1/agreements", stranger, json=agreement_wanted())
    assert answer.status_code == 403
    assert answer.json()["type"] == "urn:sebalai:problem:not-a-party"


async def test_request_for_an_unknown_interface_is_422(call, consumer, agreement_wanted):
    answer = await call("POST", "/v1/agreements", consumer, json=agreement_wanted())
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/interface"


async def test_request_for_a_retired_interface_is_409(
    call, consumer, provider, published, agreement_wanted
):
    await call("POST", f"/v1/interfaces/{published['id']}/retire", provider, json=WHY)
    answer = await call("POST", "/v1/agreements", consumer, json=agreement_wanted())
    assert answer.status_code == 409


@pytest.mark.parametrize(
    "change",
    [
        {"consumer": "bansos"},
        {"rules": []},
        {"rules": [{"method": "get", "path": "/"}]},
        {"rules": [{"method": "TRACE", "path": "/"}]},
        {"rules": [{"method": "GET", "path": "x"}]},
        {"rules": [{"method": "GET", "path": "/a/../b"}]},
        {"rules": [{"method": "GET", "path": "/residents/1971010101010001"}]},
        {"rules": [{"method": "GET", "path": "/", "extra": 1}]},
        {"purposes": []},
        {"purposes": [{"code": "A", "legal_basis": "UU 1/2020"}]},
        {"purposes": [{"code": "a", "legal_basis": "NIK 1971010101010001"}]},
        {"purposes": [{"code": "a", "legal_basis": "\n"}]},
        {"valid_until": "2026-11-24T08:00:00"},
        {"valid_until": "2026-11-24T08:00:00Z"},
        {"valid_until": "2031-11-27T08:00:00Z"},
        {"valid_until": None},
        {"quota_per_day": 0},
        {"rate_per_second": 10_001},
        {"burst": "x"},
        {"state": "granted"},
    ],
)
async def test_malformed_request_is_422(call, consumer, published, agreement_wanted, change):
    answer = await call("POST", "/v1/agreements", consumer, json=agreement_wanted(**change))
    assert answer.status_code == 422
    assert f"/{next(iter(change))}" in str(answer.json()["errors"])


async def test_five_years_to_the_day_are_allowed(call, consumer, published, agreement_wanted):
    wanted = agreement_wanted(
        valid_from="2027-01-01T00:00:00+07:00", valid_until="2032-01-01T00:00:00+07:00"
    )
    made = await call("POST", "/v1/agreements", consumer, json=wanted)
    assert made.status_code == 201
    assert made.json()["valid_from"] == "2026-12-31T17:00:00Z"


async def test_list_goes_by_pages_newest_first(call, consumer, published, agreement_wanted):
    ids = []
    for _ in range(3):
        made = await call("POST", "/v1/agreements", consumer, json=agreement_wanted())
        ids.append(made.json()["id"])
    first = (await call("GET", "/v1/agreements", consumer, params={"limit": 2})).json()
    rest = await call("GET", "/v1/agreements", consumer, params={"cursor": first["next"]})
    listed = [item["id"] for item in first["items"] + rest.json()["items"]]
    assert sorted(listed, reverse=True) == listed
    assert sorted(listed) == sorted(ids)
    only = {"interface": "ID-BB/GOV/x/y/z", "consumer": CONSUMER, "state": "requested"}
    assert (await call("GET", "/v1/agreements", consumer, params=only)).json()["items"] == []
    broken = await call("GET", "/v1/agreements", consumer, params={"cursor": "WyJ4Il0"})
    assert broken.status_code == 422


async def test_unknown_agreement_is_404(call, provider):
    path = "/v1/agreements/0199d0c0-0000-7000-8000-000000000001"
    assert (await call("GET", path, provider)).status_code == 404
    assert (await call("POST", f"{path}/grant", provider)).status_code == 404


async def test_caller_without_an_application_sees_no_agreement(call, gateway, requested):
    assert (await call("GET", "/v1/agreements", gateway)).json()["items"] == []


@pytest.mark.parametrize(
    "path", ["/", "/a", "/a/*", "/a/**", "/**", "/a/\\*", "/a-b_c.d~/x*y", "/a/"]
)
def test_plain_globs_are_taken(path):
    assert RuleWanted(method="GET", path=path).path == path


@given(st.text(max_size=30))
def test_any_other_glob_is_refused_or_canonical(path):
    try:
        RuleWanted(method="GET", path=path)
    except ValidationError:
        return
    assert path.startswith("/")
    assert not set(path) & set("%?#;\x00 ")
    assert ".." not in path.split("/")
