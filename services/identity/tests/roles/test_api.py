"""Roles: nobody grants one to themself, a sensitive one takes two, each ends by its period."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_identity.revocations.actions import is_revoked
from sebalai_identity.roles import access
from sebalai_identity.roles.model import CODES, ROLES
from sebalai_shared.caller import Caller
from sebalai_shared.testing.http import system

NOW, END = "2026-11-24T08:00:00Z", "2027-11-24T08:00:00Z"


def keeper_of_roles(subject):
    return Caller(kind="civil_servant", subject=subject, scopes=frozenset({"identity.roles"}))


FIRST, SECOND = keeper_of_roles("first"), keeper_of_roles("second")


@pytest.fixture
def asked(call):
    async def asked(person, role="people-keeper", caller=FIRST, **more):
        body = {
            "person_id": person["id"],
            "role": role,
            "decree": "SK 1/2026",
            "valid_from": NOW,
            "valid_until": END,
        } | more
        return await call("POST", "/v1/role-grants", caller, json=body)

    return asked


@pytest.fixture
def held(call, keeper):
    async def held(person, at=NOW):
        path = f"/v1/persons/{person['id']}/authority"
        return (await call("GET", path, keeper, params={"at": at})).json()

    return held


def test_catalogue_names_every_role_once():
    assert set(ROLES) == set(CODES)


async def test_sensitive_role_waits_for_a_second_keeper(call, asked, held, person, facts):
    someone = await person()
    grant = (await asked(someone)).json()
    assert grant["state"] == "requested"
    assert (await held(someone))["roles"] == []
    path = f"/v1/role-grants/{grant['id']}/decide"
    approve = {"decision": "approve"}
    holder = keeper_of_roles(someone["id"])
    for caller in (FIRST, holder):
        answer = await call("POST", path, caller, json=approve)
        assert (answer.status_code, answer.json()["type"]) == (
            403,
            "urn:sebalai:problem:duties-separate",
        )
    done = (await call("POST", path, SECOND, json=approve)).json()
    assert (done["state"], done["asked_by"], done["decided_by"]) == ("active", "first", "second")
    assert (await call("POST", path, SECOND, json=approve)).status_code == 409
    (role,) = (await held(someone))["roles"]
    assert (role["role"], role["scopes"], role["until"]) == (
        "people-keeper",
        ["identity.people"],
        END,
    )
    assert (await held(someone))["until"] == END
    assert (await held(someone, END))["roles"] == []
    told = [(kind, data["by"]) for kind, data in await facts("identity.role.")]
    assert told == [
        ("identity.role.requested.v1", "first"),
        ("identity.role.granted.v1", "second"),
    ]


async def test_refused_role_is_never_held(call, asked, held, person):
    someone = await person()
    grant = (await asked(someone)).json()
    path = f"/v1/role-grants/{grant['id']}/decide"
    refused = await call("POST", path, SECOND, json={"decision": "refuse"})
    assert refused.json()["state"] == "refused"
    assert (await held(someone))["roles"] == []
    assert (await asked(someone)).status_code == 201


async def test_nobody_grants_a_role_to_themself(asked, person, loaded):
    someone = await person()
    for role in ("auditor", "archive-keeper"):
        more = {"agency": "dinkes"} if ROLES[role].is_of_agency else {}
        answer = await asked(someone, role, keeper_of_roles(someone["id"]), **more)
        assert answer.json()["type"] == "urn:sebalai:problem:duties-separate"


async def test_everyday_role_of_an_agency_holds_at_once_and_is_revoked_with_the_tokens(
    call, asked, held, person, loaded, database
):
    someone = await person()
    grant = (await asked(someone, "archive-keeper", agency="dkpus", valid_until=None)).json()
    assert grant["state"] == "active"
    (role,) = (await held(someone))["roles"]
    assert (role["agency"], role["until"]) == ("dkpus", None)
    path = f"/v1/role-grants/{grant['id']}/revoke"
    for _ in range(2):
        done = await call("POST", path, FIRST, json={"reason": "mutasi"})
        assert (done.json()["state"], done.json()["reason"]) == ("revoked", "mutasi")
    assert (await held(someone))["roles"] == []
    async with database.transaction() as session:
        claims = {"sub": someone["id"], "iat": int(datetime.fromisoformat(NOW).timestamp())}
        assert await is_revoked(session, claims)


async def test_role_in_an_agency_ends_with_the_agency(call, operator, asked, held, person, loaded):
    someone = await person()
    grant = await asked(someone, "archive-keeper", agency="dkpus", valid_until=None)
    assert grant.status_code == 201
    end = {"on": "2026-12-01", "decree": "Perda 1/2026", "reason": "digabung"}
    done = await call("POST", "/v1/agencies/dkpus/end", operator, json=end)
    assert done.status_code == 200, done.text
    (role,) = (await held(someone))["roles"]
    assert role["until"] == "2026-11-30T17:00:00Z"
    assert (await held(someone, role["until"]))["roles"] == []


@pytest.mark.parametrize(
    ("role", "more", "pointer"),
    [
        ("people-keeper", {"valid_until": None}, "/valid_until"),
        ("people-keeper", {"valid_until": "2028-01-01T00:00:00Z"}, "/valid_until"),
        ("people-keeper", {"valid_until": NOW}, "/valid_until"),
        ("people-keeper", {"agency": "dinkes"}, "/agency"),
        ("archive-keeper", {}, "/agency"),
        ("emperor", {}, "/role"),
        ("auditor", {"decree": "\x00\x00\x00"}, "/decree"),
    ],
)
async def test_grant_out_of_its_bounds_is_refused(asked, person, loaded, role, more, pointer):
    answer = await asked(await person(), role, **more)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


async def test_second_grant_of_a_role_in_one_time_and_unknown_things_are_refused(
    call, asked, person
):
    someone = await person()
    assert (await asked(someone)).status_code == 201
    assert (await asked(someone)).status_code == 409
    assert (
        await asked(someone, valid_from=END, valid_until="2028-01-01T00:00:00Z")
    ).status_code == 201
    nobody = "01999999-0000-7000-8000-000000000000"
    assert (await asked({"id": nobody})).status_code == 404
    path = f"/v1/role-grants/{nobody}/decide"
    assert (await call("POST", path, FIRST, json={"decision": "approve"})).status_code == 404


async def test_grants_are_seen_by_keepers_auditors_and_the_holder(call, own, asked, person):
    someone = await person()
    grant = (await asked(someone)).json()
    auditor = system("ID-BB/GOV/inspektorat/audit", "identity.audit")
    holder = Caller(kind="citizen", subject=someone["id"])
    for caller, seen in ((FIRST, 1), (auditor, 1), (holder, 1), (own, 0)):
        page = (await call("GET", "/v1/role-grants", caller)).json()
        assert page["items"] == [grant][:seen]
    assert (await asked(someone, caller=own)).status_code == 403
    path = f"/v1/role-grants/{grant['id']}"
    for act, body in (("decide", {"decision": "approve"}), ("revoke", {"reason": "xxx"})):
        assert (await call("POST", f"{path}/{act}", own, json=body)).status_code == 403
    assert (await call("GET", "/v1/role-grants")).status_code == 401
    assert len((await call("GET", "/v1/roles")).json()) == len(ROLES)


async def test_two_systems_of_one_agency_do_not_agree_with_each_other(call, asked, loaded, person):
    first, second, other = (
        system(f"ID-BB/GOV/{name}", "identity.roles")
        for name in ("diskominfo/satu", "diskominfo/dua", "inspektorat/audit")
    )
    grant = (await asked(await person(), caller=first)).json()
    path, approve = f"/v1/role-grants/{grant['id']}/decide", {"decision": "approve"}
    for caller in (first, second):
        answer = await call("POST", path, caller, json=approve)
        assert answer.json()["type"] == "urn:sebalai:problem:duties-separate"
    assert (await call("POST", path, other, json=approve)).json()["state"] == "active"


@given(st.sampled_from(CODES), st.none() | st.just("dinkes"), st.none() | st.integers(-5, 800))
def test_grant_that_may_be_asked_has_its_agency_and_its_end(role, agency, days):
    start = datetime(2026, 1, 1, tzinfo=UTC)
    end = start + timedelta(days=days) if days is not None else None
    if access.ask_fault(role, agency, start, end) is None:
        assert ROLES[role].is_of_agency == (agency is not None)
        assert end is None or end > start
        assert not ROLES[role].is_sensitive or (end and end - start <= access.SENSITIVE_MAX)
