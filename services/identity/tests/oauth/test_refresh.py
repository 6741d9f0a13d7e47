"""Refresh families: rotation, the grace for lost answers, and the end of a stolen one."""

from datetime import timedelta

import pytest
from joserfc.jwk import ECKey
from sebalai_identity.grants import actions
from sqlalchemy import text


async def rows(database):
    async with database.transaction() as session:
        return (await session.execute(text("SELECT * FROM refresh_family"))).all()


async def test_each_token_is_good_once_and_brings_its_successor(party, database, clock):
    token = (await party.sign_in())["refresh_token"]
    seen = {token}
    for _ in range(3):
        clock.move(timedelta(hours=1))
        body = (await party.refresh(token)).json()
        token = body["refresh_token"]
        seen.add(token)
        identity = await party.claims_of(body["id_token"])
        assert "nonce" not in identity.claims
    assert len(seen) == 4
    (family,) = await rows(database)
    assert family.number == 3
    assert not any(one in str(family) for one in seen)


async def test_lost_answer_is_given_again_for_twenty_seconds(party, clock):
    token = (await party.sign_in())["refresh_token"]
    first = (await party.refresh(token)).json()["refresh_token"]
    clock.move(timedelta(seconds=20))
    assert (await party.refresh(token)).json()["refresh_token"] == first
    assert (await party.refresh(first)).status_code == 200


async def test_token_used_again_later_ends_the_family_and_its_access_tokens(party, clock, database):
    body = await party.sign_in()
    first = (await party.refresh(body["refresh_token"])).json()
    clock.move(timedelta(seconds=21))
    again = await party.refresh(body["refresh_token"])
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert (await party.refresh(first["refresh_token"])).json()["error"] == "invalid_grant"
    assert await party.introspect(first["access_token"]) == {"active": False}
    (family,) = await rows(database)
    assert family.reason == "refresh token used again"


async def test_used_token_is_told_as_good_no_longer_than_it_is(party, clock):
    old = (await party.sign_in())["refresh_token"]
    fresh = (await party.refresh(old)).json()["refresh_token"]
    assert (await party.introspect(old))["active"]
    clock.move(timedelta(seconds=21))
    assert await party.introspect(old) == {"active": False}
    assert (await party.introspect(fresh))["active"]


async def test_token_two_steps_old_ends_the_family_at_once(party):
    old = (await party.sign_in())["refresh_token"]
    middle = (await party.refresh(old)).json()["refresh_token"]
    latest = (await party.refresh(middle)).json()["refresh_token"]
    assert (await party.refresh(old)).json()["error"] == "invalid_grant"
    assert (await party.refresh(latest)).json()["error"] == "invalid_grant"


async def test_stranger_with_the_token_gets_nothing_and_hurts_nobody(party, party_of):
    token = (await party.sign_in())["refresh_token"]
    other = await party_of(name="other")
    assert (await other.refresh(token)).json()["error"] == "invalid_grant"
    assert (await party.refresh(token)).status_code == 200


async def test_bent_token_is_unknown(party):
    token = (await party.sign_in())["refresh_token"]
    other = ("B" if token[0] == "A" else "A") + token[1:]
    for bent in (token[:-1], token[1:], "A" * 71, token + "=", "é", other):
        assert (await party.refresh(bent)).json()["error"] == "invalid_grant"
    assert (await party.refresh(token)).status_code == 200


async def test_scope_may_narrow_for_one_answer_and_never_widen(party):
    token = (await party.sign_in())["refresh_token"]
    wider = await party.refresh(token, scope="openid bus.call")
    assert wider.json()["error"] == "invalid_scope"
    # The refused attempt used the token up; within the grace its successor is given again.
    narrow = (await party.refresh(token, scope="openid")).json()
    assert narrow["scope"] == "openid"
    whole = (await party.refresh(narrow["refresh_token"])).json()
    assert whole["scope"] == "offline_access openid profile"


async def test_family_ends_when_idle_and_at_its_absolute_end_whatever_it_does(party, clock):
    idle = (await party.sign_in())["refresh_token"]
    clock.move(timedelta(days=7))
    assert (await party.refresh(idle)).json()["error"] == "invalid_grant"


async def test_busy_family_ends_after_thirty_days(party_of, sign_in, person, clock):
    party = await party_of()
    await sign_in(person, party)
    token = (await party.sign_in())["refresh_token"]
    for _ in range(5):
        clock.move(timedelta(days=6) - timedelta(seconds=1))
        answer = await party.refresh(token)
        assert answer.status_code == 200
        token = answer.json()["refresh_token"]
    clock.move(timedelta(seconds=5))
    assert (await party.refresh(token)).json()["error"] == "invalid_grant"


async def test_portal_keeps_its_token_as_fapi_asks(party_of, sign_in, person):
    party = await party_of("portal")
    await sign_in(person, party)
    pushed = (await party.post("/oauth/par", party.request() | party.credentials())).json()
    named = {"client_id": party.client_id, "request_uri": pushed["request_uri"]}
    code = party.answered(await party.raw_authorize(named))["code"]
    token = (await party.redeem(code)).json()["refresh_token"]
    for _ in range(3):
        assert (await party.refresh(token)).json()["refresh_token"] == token


async def test_public_clients_family_is_held_by_its_key(party_of, sign_in, person):
    party = await party_of("public", dpop=True)
    await sign_in(person, party)
    body = await party.sign_in()
    assert body["token_type"] == "DPoP"
    own, party.proof_key = party.proof_key, ECKey.generate_key("P-256")
    assert (await party.refresh(body["refresh_token"])).json()["error"] == "invalid_grant"
    party.proof_key = own
    assert (await party.refresh(body["refresh_token"])).status_code == 200


@pytest.mark.parametrize("end", ["session", "person", "client", "application"])
async def test_what_ends_takes_its_families_and_tokens_along(
    party, person, database, end, operator
):
    body, clock = await party.sign_in(), party.clock
    sid = (await party.claims_of(body["access_token"])).claims["sid"]
    async with database.transaction() as session:
        if end == "session":
            await actions.end_session_tokens(session, clock, session_id=sid, reason="test")
        if end == "person":
            await actions.end_person_tokens(session, clock, person_id=person, reason="test")
        if end == "client":
            await actions.end_client_tokens(
                session, clock, person_id=person, client_id=party.client_id, reason="test"
            )
    if end == "application":
        call = party.call
        found = (await call("GET", "/v1/applications", operator)).json()["items"][0]["id"]
        path = f"/v1/applications/{found}/suspend"
        assert (await call("POST", path, operator, json={"reason": "lost"})).status_code == 200
        assert (await party.refresh(body["refresh_token"])).status_code == 401
        path = f"/v1/applications/{found}/resume"
        assert (await call("POST", path, operator)).status_code == 200
    assert await party.introspect(body["access_token"]) == {"active": False}
    assert (await party.refresh(body["refresh_token"])).json()["error"] == "invalid_grant"
