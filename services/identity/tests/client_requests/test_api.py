"""Clients by two: an agency asks, somebody else approves, and only then there is an application."""

from datetime import timedelta

import pytest
from joserfc.jwk import ECKey
from sebalai_identity.applications.schema import SENSITIVE_SCOPES
from sebalai_shared.caller import Caller
from sebalai_shared.testing.http import system

PATH = "/v1/client-requests"
ALONE = (403, "urn:sebalai:problem:two-must-agree")
APPROVE = {"decision": "approve", "reason": "sesuai SK"}
ASKER = Caller(
    kind="civil_servant",
    subject="asker",
    agency="dinsos-pmd",
    scopes=frozenset({"identity.clients"}),
)
APPROVER = Caller(kind="civil_servant", subject="other", scopes=frozenset({"identity.clients"}))


@pytest.fixture
async def asked(call, loaded, wanted):
    answer = await call("POST", PATH, ASKER, json=wanted(scopes=["bus.call", "identity.people"]))
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_who_asks_does_not_approve_and_who_approves_makes_it(call, operator, asked, facts):
    assert (await call("GET", "/v1/applications", operator)).json()["items"] == []
    path = f"{PATH}/{asked['id']}/decide"
    own = await call("POST", path, ASKER, json=APPROVE)
    assert (own.status_code, own.json()["type"]) == (403, "urn:sebalai:problem:own-client-request")
    done = (await call("POST", path, APPROVER, json=APPROVE)).json()
    assert (done["state"], done["asked_by"], done["decided_by"]) == ("approved", "asker", "other")
    (made,) = (await call("GET", "/v1/applications", operator)).json()["items"]
    assert (made["id"], made["scopes"]) == (done["application_id"], ["bus.call", "identity.people"])
    assert (await call("POST", path, APPROVER, json=APPROVE)).status_code == 409
    kinds = [kind for kind, _ in await facts("identity.client.")]
    assert kinds == ["identity.client.requested.v1", "identity.client.approved.v1"]


async def test_refused_request_makes_nothing_and_the_name_is_free_again(
    call, operator, asked, wanted
):
    assert (await call("POST", PATH, ASKER, json=wanted())).status_code == 409
    refuse = {"decision": "refuse", "reason": "tanpa dasar"}
    done = await call("POST", f"{PATH}/{asked['id']}/decide", APPROVER, json=refuse)
    assert (done.json()["state"], done.json()["application_id"]) == ("refused", None)
    assert (await call("GET", "/v1/applications", operator)).json()["items"] == []
    assert (await call("POST", PATH, ASKER, json=wanted())).status_code == 201


async def test_agency_asks_for_and_sees_its_own_alone(call, own, stranger, asked, wanted):
    assert (await call("POST", PATH, stranger, json=wanted(name="x"))).status_code == 403
    assert (await call("POST", PATH, json=wanted(name="x"))).status_code == 401
    path = f"{PATH}/{asked['id']}/decide"
    assert (await call("POST", path, own, json=APPROVE)).status_code == 403
    unknown = f"{PATH}/01999999-0000-7000-8000-000000000000/decide"
    assert (await call("POST", unknown, APPROVER, json=APPROVE)).status_code == 404
    for caller, seen in ((own, [asked]), (stranger, []), (APPROVER, [asked])):
        page = (await call("GET", PATH, caller, params={"state": "requested"})).json()
        assert page["items"] == seen
    other = system("ID-BB/GOV/dinsos-pmd/lain")
    assert (await call("POST", PATH, other, json=wanted(name="y"))).status_code == 201


def refused(answer):
    return answer.status_code, answer.json()["type"]


@pytest.mark.parametrize("scope", sorted(SENSITIVE_SCOPES))
async def test_operator_alone_gives_no_application_a_sensitive_scope(
    call, operator, registered, wanted, scope, facts
):
    before = await facts()
    for name in (registered["name"], "new"):
        body = wanted(name=name, scopes=["bus.call", scope])
        assert refused(await call("POST", "/v1/applications", operator, json=body)) == ALONE
    assert await facts() == before


async def test_operator_alone_neither_keys_nor_changes_what_two_agreed_on_but_may_take_it_away(
    call, operator, asked, wanted, clock
):
    path = f"{PATH}/{asked['id']}/decide"
    assert (await call("POST", path, APPROVER, json=APPROVE)).status_code == 200
    other = ECKey.generate_key("P-256").as_dict(private=False)
    soon, later = ((clock.now() + timedelta(hours=hours)).isoformat() for hours in (1, 2))
    for more in (
        {"public_key": other},
        {"public_key": other, "key_valid_until": soon},
        {"valid_until": later},
        {"key_valid_until": soon, "client": {"kind": "agency_web"}},
    ):
        answer = await call("POST", "/v1/applications", operator, json=wanted(**more))
        assert refused(answer) == ALONE, more
    ended = await call("POST", "/v1/applications", operator, json=wanted(key_valid_until=soon))
    assert ended.status_code == 201, ended.text
    answer = await call("POST", "/v1/applications", operator, json=wanted(key_valid_until=later))
    assert refused(answer) == ALONE
    body = wanted(scopes=["bus.call"], public_key=other)
    taken = await call("POST", "/v1/applications", operator, json=body)
    assert (taken.status_code, taken.json()["scopes"]) == (201, ["bus.call"])


async def test_another_system_of_the_asking_agency_does_not_approve(call, loaded, wanted):
    asker, same, other = (
        system(f"ID-BB/GOV/{name}", "identity.clients")
        for name in ("dinsos-pmd/satu", "dinsos-pmd/dua", "diskominfo/tiga")
    )
    made = (await call("POST", PATH, asker, json=wanted())).json()
    path = f"{PATH}/{made['id']}/decide"
    assert refused(await call("POST", path, same, json=APPROVE))[0] == 403
    assert (await call("POST", path, other, json=APPROVE)).json()["state"] == "approved"
