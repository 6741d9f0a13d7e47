"""What tokens of a person show of their roles and posting, by the real registers."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sebalai_identity.authority.access import Authority, HeldRole
from sebalai_identity.oauth import register
from sebalai_identity.oauth.register import Registers
from sebalai_shared.caller import Caller
from sebalai_shared.ids import uuid7

AGENCY = "dinsos-pmd"
FIRST, LATER = datetime(2027, 1, 1, tzinfo=UTC), datetime(2027, 2, 1, tzinfo=UTC)
BEGAN = "2026-01-01T00:00:00Z"
ASKED = "openid archive.write identity.people"
SCOPES = ["bus.call", "archive.write", "identity.people", "openid", "profile", "offline_access"]
OFFICIAL = ("swk", "user")


def keeper_of_roles(subject):
    return Caller(kind="civil_servant", subject=subject, scopes=frozenset({"identity.roles"}))


@pytest.fixture
async def official(call, made, position, posting):
    """A civil servant with a definitive posting that has no end."""
    call.app.state.register = Registers()
    found = await made("/v1/persons", {"name": "Budi Contoh", "nik": "1971011503859001"})
    servant = {
        "person_id": found["id"], "nip": "198503152010011001", "agency": AGENCY,
        "grade": "III/d", "valid_from": "2010-01-01T00:00:00+07:00",
    }  # fmt: skip
    await made("/v1/civil-servants", servant)
    held = await posting(found, await position(agency=AGENCY))
    return {"id": found["id"], "posting": held["id"]}


@pytest.fixture
def grant(call, made):
    async def grant(person, role, agency=None, until=None):
        body = {
            "person_id": person["id"], "role": role, "agency": agency, "decree": "SK 1/2026",
            "valid_from": BEGAN, "valid_until": until,
        }  # fmt: skip
        body = {name: value for name, value in body.items() if value is not None}
        asked = await made("/v1/role-grants", body, keeper_of_roles("first"))
        if asked["state"] == "requested":
            path = f"/v1/role-grants/{asked['id']}/decide"
            answer = await call(
                "POST", path, keeper_of_roles("second"), json={"decision": "approve"}
            )
            assert answer.status_code == 200, answer.text
        return asked["id"]

    return grant


@pytest.fixture
def party_for(party_of, sign_in, official):
    async def party_for(kind="agency_web", methods=OFFICIAL, **settings):
        party = await party_of(kind, scopes=SCOPES, **settings)
        await sign_in(UUID(official["id"]), party, methods, scopes=SCOPES)
        return party

    return party_for


async def test_official_acts_by_the_posting_and_without_a_role_has_no_power(party_for, official):
    party = await party_for()
    body = await party.sign_in(scope=ASKED)
    claims = (await party.claims_of(body["access_token"])).claims
    assert (claims["kind"], claims["agency"], claims["posting"]) == (
        "civil_servant", AGENCY, official["posting"],
    )  # fmt: skip
    assert (body["scope"], claims["scope"]) == ("openid", "openid")


async def test_powers_of_roles_hold_a_day_from_the_sign_in_whoever_refreshes(
    party_for, official, grant, clock
):
    """What a sign-in at acr 2 is worth; a stolen refresh token is not an official for a month."""
    await grant(official, "archive-keeper", AGENCY)
    party = await party_for()
    body = await party.sign_in(scope=f"{ASKED} offline_access")
    signed_in = (await party.claims_of(body["access_token"])).claims["auth_time"]
    clock.move(timedelta(hours=23, minutes=58))
    body = (await party.refresh(body["refresh_token"])).json()
    claims = (await party.claims_of(body["access_token"])).claims
    assert "archive.write" in claims["scope"]
    assert claims["exp"] == signed_in + 24 * 3600
    clock.move(timedelta(minutes=2))
    body = (await party.refresh(body["refresh_token"])).json()
    assert body["scope"] == "offline_access openid"


async def test_token_shows_the_powers_of_roles_that_were_asked_for(party_for, official, grant):
    await grant(official, "archive-keeper", AGENCY)
    party = await party_for()
    assert (await party.sign_in(scope=ASKED))["scope"] == "archive.write openid"
    assert (await party.sign_in(scope="openid"))["scope"] == "openid"


async def test_role_of_another_agency_gives_no_power_here(party_for, official, grant):
    await grant(official, "archive-keeper", "dinkes")
    party = await party_for()
    assert (await party.sign_in(scope=ASKED))["scope"] == "openid"


async def test_power_ends_with_its_role_and_the_token_no_later(party_for, official, grant, clock):
    end = clock.now() + timedelta(seconds=100)
    await grant(official, "people-keeper", until=end.isoformat())
    party = await party_for()
    body = await party.sign_in(scope=f"{ASKED} offline_access")
    assert (body["scope"], body["expires_in"]) == ("identity.people offline_access openid", 100)
    clock.move(timedelta(seconds=100))
    after = (await party.refresh(body["refresh_token"])).json()
    assert (after["scope"], after["expires_in"]) == ("offline_access openid", 300)
    alone = await party.refresh(after["refresh_token"], scope="identity.people")
    assert alone.json()["error"] == "invalid_scope"


def test_of_two_grants_of_one_power_the_later_end_counts():
    def role(until):
        return HeldRole(uuid7(), "archive-keeper", None, ("archive.write",), until)

    def scopes(*ends):
        held = Authority(uuid7(), FIRST, is_active=True, roles=tuple(role(end) for end in ends))
        return register._scopes(held, None)

    assert scopes(FIRST, LATER) == scopes(LATER, FIRST) == {"archive.write": LATER}
    assert scopes(FIRST, None) == scopes(None, FIRST) == {"archive.write": None}
    assert scopes() == {}


async def test_revoked_role_ends_the_token_that_shows_it(party_for, official, grant, call):
    one = await grant(official, "archive-keeper", AGENCY)
    party = await party_for()
    token = (await party.sign_in(scope=ASKED))["access_token"]
    assert (await party.introspect(token))["scope"] == "archive.write openid"
    answer = await call(
        "POST", f"/v1/role-grants/{one}/revoke", keeper_of_roles("first"), json={"reason": "pindah"}
    )
    assert answer.status_code == 200, answer.text
    assert await party.introspect(token) == {"active": False}
    assert (await party.sign_in(scope=ASKED))["scope"] == "openid"


@pytest.mark.parametrize(
    ("kind", "methods", "more"),
    [
        ("agency_web", ("pwd",), {}),
        ("agency_web", OFFICIAL, {"is_pairwise": True}),
        ("external", OFFICIAL, {}),
    ],
)
async def test_password_alone_pairwise_and_outside_clients_carry_no_power(
    party_for, official, grant, kind, methods, more
):
    await grant(official, "archive-keeper", AGENCY)
    party = await party_for(kind, methods, **more)
    assert (await party.sign_in(scope=ASKED))["scope"] == "openid"


async def test_application_without_the_scope_gets_no_persons_power(
    party_of, sign_in, official, grant
):
    await grant(official, "archive-keeper", AGENCY)
    party = await party_of()
    await sign_in(UUID(official["id"]), party)
    assert (await party.sign_in(scope=ASKED))["scope"] == "openid"
