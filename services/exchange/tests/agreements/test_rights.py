"""Offers, second approvals, amendments, bindings: how far a right reaches and who says so."""

import pytest
from sebalai_shared.testing.http import system
from sqlalchemy import text

CONSUMER = "ID-BB/GOV/dinsos-pmd/bansos"
PROVIDER = "ID-BB/GOV/dp3acskb/kependudukan"
MANAGE = ("bus.call", "exchange.manage")
WHY = {"reason": "dasar hukum dicabut"}


@pytest.fixture
def sibling():
    return system("ID-BB/GOV/dp3acskb/pengawas", *MANAGE)


@pytest.fixture
async def sensitive(call, consumer, published, agreement_wanted):
    wanted = agreement_wanted(data_categories=["identitas", "kesehatan"])
    return (await call("POST", "/v1/agreements", consumer, json=wanted)).json()


async def test_provider_offers_and_consumer_grants(
    call, consumer, provider, published, agreement_wanted
):
    offer = (await call("POST", "/v1/agreements", provider, json=agreement_wanted())).json()
    assert (offer["asking_side"], offer["state"]) == ("provider", "requested")
    path = f"/v1/agreements/{offer['id']}/grant"
    own = await call("POST", path, provider)
    assert own.json()["type"] == "urn:sebalai:problem:own-request"
    taken = (await call("POST", path, consumer)).json()
    assert (taken["state"], taken["granted_by"]) == ("granted", CONSUMER)


async def test_specific_data_need_two_who_approve(call, provider, sibling, sensitive):
    path = f"/v1/agreements/{sensitive['id']}/grant"
    early = await call("POST", path, sibling)
    assert early.json()["type"] == "urn:sebalai:problem:step-not-yours"
    first = (await call("POST", path, provider)).json()
    assert (first["state"], first["approvals_needed"]) == ("requested", 2)
    assert [approval["by"] for approval in first["approvals"]] == [PROVIDER]
    again = await call("POST", path, provider)
    assert again.status_code == 403
    assert again.json()["type"] == "urn:sebalai:problem:already-approved"
    second = (await call("POST", path, sibling)).json()
    assert second["state"] == "granted"
    assert [a["by"] for a in second["approvals"]] == [PROVIDER, sibling.application]


async def test_operator_may_be_the_second_but_a_stranger_not(
    call, provider, operator, stranger, sensitive
):
    path = f"/v1/agreements/{sensitive['id']}/grant"
    await call("POST", path, provider)
    assert (await call("POST", path, stranger)).status_code == 404
    assert (await call("POST", path, operator)).json()["state"] == "granted"


async def test_ordinary_data_need_one(call, provider, published, consumer, agreement_wanted):
    wanted = agreement_wanted(data_categories=["identitas", "nama"])
    made = (await call("POST", "/v1/agreements", consumer, json=wanted)).json()
    granted = await call("POST", f"/v1/agreements/{made['id']}/grant", provider)
    assert granted.json()["state"] == "granted"


async def test_unknown_category_is_422_and_the_known_are_listed(
    call, consumer, published, agreement_wanted
):
    wanted = agreement_wanted(data_categories=["rahasia"])
    answer = await call("POST", "/v1/agreements", consumer, json=wanted)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/data_categories"
    listed = (await call("GET", "/v1/data-categories")).json()["items"]
    assert {one["code"] for one in listed if one["is_specific"]} >= {"kesehatan", "anak"}


def terms(agreement_wanted, **more):
    wanted = agreement_wanted(**more)
    return {k: v for k, v in wanted.items() if k not in {"consumer", "interface"}}


async def test_amendment_is_a_new_version_and_the_old_holds_until_it_is_granted(
    call, consumer, provider, granted, agreement_wanted, database
):
    path = f"/v1/agreements/{granted['id']}"
    wanted = terms(agreement_wanted, quota_per_day=5, quota_per_month=50)
    new = (await call("POST", f"{path}/amend", consumer, json=wanted)).json()
    assert (new["version"], new["series"], new["replaces"]) == (
        2,
        granted["series"],
        granted["id"],
    )
    assert (await call("GET", path, consumer)).json()["state"] == "granted"
    second = await call("POST", f"{path}/amend", provider, json=wanted)
    assert second.status_code == 409
    taken = await call("POST", f"/v1/agreements/{new['id']}/grant", provider)
    assert taken.json()["state"] == "granted"
    assert (await call("GET", path, consumer)).json()["state"] == "replaced"
    listed = await call("GET", "/v1/agreements", consumer, params={"series": granted["series"]})
    assert [item["version"] for item in listed.json()["items"]] == [2, 1]
    async with database.transaction() as session:
        rows = await session.scalars(text("SELECT type FROM outbox ORDER BY seq DESC LIMIT 2"))
        assert set(rows) == {"exchange.agreement.granted.v1", "exchange.agreement.replaced.v1"}


async def test_amendment_of_what_was_ended_meanwhile_cannot_be_granted(
    call, consumer, provider, granted, agreement_wanted
):
    path = f"/v1/agreements/{granted['id']}"
    new = (await call("POST", f"{path}/amend", consumer, json=terms(agreement_wanted))).json()
    await call("POST", f"{path}/revoke", provider, json=WHY)
    assert (await call("POST", f"/v1/agreements/{new['id']}/grant", provider)).status_code == 409
    again = await call("POST", f"{path}/amend", consumer, json=terms(agreement_wanted))
    assert again.status_code == 409


async def test_stranger_cannot_amend(call, stranger, granted, agreement_wanted):
    path = f"/v1/agreements/{granted['id']}/amend"
    assert (await call("POST", path, stranger, json=terms(agreement_wanted))).status_code == 404


async def test_bindings_are_kept_in_one_spelling(call, consumer, published, agreement_wanted):
    wanted = agreement_wanted(
        bound_addresses=["10.8.0.0/16", "2001:DB8::1"],
        bound_certificates=["a" * 64],
        min_assurance=2,
    )
    made = (await call("POST", "/v1/agreements", consumer, json=wanted)).json()
    assert made["bound_addresses"] == ["10.8.0.0/16", "2001:db8::1/128"]
    assert (made["min_assurance"], made["bound_certificates"]) == (2, ["a" * 64])


async def test_who_signs_is_a_term(call, consumer, published, agreement_wanted):
    plain = await call("POST", "/v1/agreements", consumer, json=agreement_wanted())
    assert plain.json()["signing"] == "none"
    wanted = agreement_wanted(signing="both")
    made = (await call("POST", "/v1/agreements", consumer, json=wanted)).json()
    assert made["signing"] == "both"


@pytest.mark.parametrize(
    "change",
    [
        {"bound_addresses": ["10.8.0.1/16"]},
        {"bound_addresses": ["kantor"]},
        {"bound_certificates": ["A" * 64]},
        {"min_assurance": 4},
        {"quota_per_month": 0},
        {"signing": "provider"},
    ],
)
async def test_binding_that_binds_nothing_is_422(
    call, consumer, published, agreement_wanted, change
):
    answer = await call("POST", "/v1/agreements", consumer, json=agreement_wanted(**change))
    assert answer.status_code == 422
    assert f"/{next(iter(change))}" in str(answer.json()["errors"])


async def test_house_mate_sees_with_the_right_to_decide_and_not_without(call, sibling, requested):
    path = f"/v1/agreements/{requested['id']}"
    assert (await call("GET", path, sibling)).status_code == 200
    plain = system(sibling.application, "bus.call")
    assert (await call("GET", path, plain)).status_code == 404
