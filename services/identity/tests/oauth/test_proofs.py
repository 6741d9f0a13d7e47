"""DPoP proofs, pushed requests, introspection, revocation and userinfo, good and bad."""

import json
from datetime import timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

ISSUER = "https://bus.example"
TOKEN = "/oauth/token"
OTHER = ECKey.generate_key("P-256")


@pytest.fixture
async def bound(party_of, sign_in, person):
    """A public client that holds a DPoP key."""
    party = await party_of("public", dpop=True)
    await sign_in(person, party)
    return party


async def test_first_proof_is_answered_with_a_nonce_and_the_second_passes(bound):
    code = await bound.code()
    first = await bound.redeem(code, bound.proof(TOKEN))
    assert (first.status_code, first.json()["error"]) == (400, "use_dpop_nonce")
    assert first.headers["DPoP-Nonce"]
    second = await bound.redeem(code, bound.proof(TOKEN))
    assert second.json()["token_type"] == "DPoP"
    access = await bound.claims_of(second.json()["access_token"])
    assert access.claims["cnf"] == {"jkt": bound.proof_key.thumbprint()}


async def test_nonce_lives_a_minute_or_two(bound, clock):
    await bound.redeem("x")
    kept = bound.nonce
    clock.move(timedelta(seconds=60))
    bound.nonce = kept
    assert (await bound.redeem("x", bound.proof(TOKEN))).json()["error"] == "invalid_grant"
    clock.move(timedelta(seconds=60))
    bound.nonce = kept
    assert (await bound.redeem("x", bound.proof(TOKEN))).json()["error"] == "use_dpop_nonce"


PROOFS = {
    "of a GET": {"method": "GET"},
    "for another place": {"path": "/oauth/par"},
    "for another host": {"htu": "https://evil.example/oauth/token"},
    "htu no text": {"htu": 5},
    "htu broken": {"htu": "https://[/oauth/token"},
    "type of a JWT": {"header": {"typ": "JWT"}},
    "type of an access token": {"header": {"typ": "at+jwt"}},
    "crit": {"header": {"crit": ["exp"]}},
    "kid beside": {"header": {"kid": "x"}},
    "jku": {"header": {"jku": "http://127.0.0.1/keys"}},
    "key of another": {"header": {"jwk": OTHER.as_dict(private=False)}},
    "private key inside": {"header": {"jwk": OTHER.as_dict(private=True)}},
    "key an RSA one": {"header": {"jwk": RSAKey.generate_key(2048).as_dict(private=False)}},
    "key no point": {"header": {"jwk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}}},
    "key a text": {"header": {"jwk": "x"}},
    "key missing": {"header": {"jwk": None}},
    "jti missing": {"jti": None},
    "jti a number": {"jti": 5},
    "jti too long": {"jti": "j" * 200},
    "iat missing": {"iat": None},
    "iat as text": {"iat": "now"},
    "iat far ahead": {"iat": 2_000_000_000},
    "iat long ago": {"iat": 1_000_000_000},
}


@pytest.mark.parametrize("name", PROOFS)
async def test_bad_proof_gets_no_token(bound, name):
    await bound.redeem("x")
    change = dict(PROOFS[name])
    proof = bound.proof(change.pop("path", TOKEN), **change)
    answer = await bound.redeem(await bound.code(), proof)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof")


@pytest.mark.parametrize("nonce", ["é", "\ud800", 5, ["x"]])
async def test_nonce_that_none_of_ours_could_be_is_answered_with_one(bound, nonce):
    answer = await bound.redeem("x", bound.proof(TOKEN, nonce=nonce))
    assert (answer.status_code, answer.json()["error"]) == (400, "use_dpop_nonce")


@pytest.mark.parametrize("seconds", [-10, 10])
async def test_clock_ten_seconds_off_passes(bound, seconds):
    await bound.redeem("x")
    proof = bound.proof(TOKEN, iat=bound.now + seconds)
    assert (await bound.redeem(await bound.code(), proof)).status_code == 200


async def test_proof_is_used_once_and_comes_alone(bound):
    await bound.redeem("x")
    proof = bound.proof(TOKEN)
    assert (await bound.redeem(await bound.code(), proof)).status_code == 200
    again = await bound.redeem(await bound.code(), proof)
    assert again.json()["error"] == "invalid_dpop_proof"


async def test_code_bound_to_a_key_wants_that_key(bound):
    await bound.redeem("x")
    code = await bound.code(dpop_jkt=OTHER.thumbprint())
    assert (await bound.redeem(code, bound.proof(TOKEN))).json()["error"] == "invalid_dpop_proof"
    code = await bound.code(dpop_jkt=bound.proof_key.thumbprint())
    assert (await bound.redeem(code, bound.proof(TOKEN))).status_code == 200


async def test_client_that_must_prove_its_key_gets_no_bearer_token(party_of, sign_in, person):
    party = await party_of(is_dpop_required=True)
    await sign_in(person, party)
    answer = await party.redeem(await party.code())
    assert answer.json()["error"] == "invalid_dpop_proof"


async def test_bound_token_is_no_bearer_token_at_userinfo(bound, call, person):
    token = (await bound.sign_in())["access_token"]
    path = "/oauth/userinfo"

    async def ask(scheme, proof=None):
        headers = {"Authorization": f"{scheme} {token}"}
        if proof is not None:
            headers["DPoP"] = proof
        return await call("GET", path, headers=headers)

    good = await ask("dpop", bound.proof(path, "GET", token))
    assert (good.status_code, good.json()) == (200, {"sub": str(person)})
    for bad in (
        await ask("Bearer"),
        await ask("DPoP"),
        await ask("DPoP", bound.proof(path, "GET")),
        await ask("DPoP", bound.proof(path, "GET", "another token")),
        await ask("DPoP", bound.proof(path, "GET", token, key=OTHER)),
        await ask("DPoP", bound.proof(path, "POST", token)),
    ):
        assert bad.status_code in (400, 401)
        assert bad.headers["WWW-Authenticate"].startswith(("DPoP", "Bearer"))


# --- pushed requests -----------------------------------------------------------------------------
async def pushed(party, **more):
    return await party.post("/oauth/par", party.request(**more) | party.credentials())


async def by_reference(party, reference, **more):
    return await party.raw_authorize(
        {"client_id": party.client_id, "request_uri": reference} | more
    )


async def test_pushed_request_is_good_until_it_gave_a_code(party_of, sign_in, person):
    party = await party_of()
    made = await pushed(party)
    assert made.status_code == 201
    assert made.json()["expires_in"] <= 600
    reference = made.json()["request_uri"]
    for _ in range(2):
        assert "/sign-in" in (await by_reference(party, reference)).headers["Location"]
    await sign_in(person, party)
    # What stands beside the reference counts for nothing.
    code = party.answered(await by_reference(party, reference, state="evil", scope="openid"))
    assert code["state"] == "st"
    assert (await party.redeem(code["code"])).status_code == 200
    assert (await by_reference(party, reference)).status_code == 400


async def test_pushed_request_ends_and_is_its_clients_alone(party, party_of, clock):
    reference = (await pushed(party)).json()["request_uri"]
    other = await party_of(name="other")
    assert (await by_reference(other, reference)).status_code == 400
    clock.move(timedelta(seconds=90))
    assert (await by_reference(party, reference)).status_code == 400


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, "invalid_request"),
        ({"redirect_uri": "https://evil.example/"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"request": "a.b.c"}, "invalid_request_object"),
    ],
)
async def test_bad_request_is_refused_when_it_is_pushed(party, change, error):
    answer = await pushed(party, **change)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


async def test_request_is_pushed_by_post_and_by_its_own_client_only(party, call):
    assert (await call("GET", "/oauth/par")).status_code == 405
    answer = await party.post("/oauth/par", party.request())
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_key_proven_at_the_push_holds_the_code(party_of, sign_in, person):
    party = await party_of(dpop=True)
    await sign_in(person, party)
    await pushed(party)
    reference = (await pushed(party)).json()["request_uri"]
    code = party.answered(await by_reference(party, reference))["code"]
    own, party.proof_key = party.proof_key, OTHER
    assert (await party.redeem(code)).json()["error"] == "invalid_dpop_proof"
    party.proof_key = own
    differs = await pushed(party, dpop_jkt=OTHER.thumbprint())
    assert differs.json()["error"] == "invalid_dpop_proof"


# --- what tokens are worth -------------------------------------------------------------------------
async def test_client_learns_of_its_own_tokens_only(party, party_of, clock):
    body = await party.sign_in()
    access = await party.introspect(body["access_token"])
    assert (access["active"], access["client_id"]) == (True, party.client_id)
    refresh = await party.introspect(body["refresh_token"])
    assert (refresh["active"], refresh["scope"]) == (True, "offline_access openid profile")
    other = await party_of(name="other")
    for token in (body["access_token"], body["refresh_token"], "x", "a.b.c", body["id_token"]):
        assert await other.introspect(token) == {"active": False}
    assert await party.introspect(body["id_token"]) == {"active": False}
    clock.move(timedelta(seconds=300))
    assert await party.introspect(body["access_token"]) == {"active": False}


async def test_client_ends_its_own_tokens_only(party, party_of, gateway, call):
    body = await party.sign_in()
    other = await party_of(name="other")
    for one, token in ((other, "access_token"), (other, "refresh_token")):
        answer = await one.post("/oauth/revoke", {"token": body[token]} | one.credentials())
        assert answer.status_code == 200
    assert (await party.introspect(body["access_token"]))["active"]
    await party.post("/oauth/revoke", {"token": body["access_token"]} | party.credentials())
    assert await party.introspect(body["access_token"]) == {"active": False}
    after = (await party.refresh(body["refresh_token"])).json()
    await party.post("/oauth/revoke", {"token": after["refresh_token"]} | party.credentials())
    assert await party.introspect(after["access_token"]) == {"active": False}
    assert (await party.refresh(after["refresh_token"])).json()["error"] == "invalid_grant"
    feed = (await call("GET", "/internal/revocations", gateway)).json()
    assert {entry[0].split(".")[0] for entry in feed["entries"]} == {"jti"}
    unknown = await party.post("/oauth/revoke", {"token": "x"} | party.credentials())
    assert unknown.status_code == 200
    missing = await party.post("/oauth/revoke", party.credentials())
    assert missing.json()["error"] == "invalid_request"


async def test_userinfo_takes_the_token_in_header_or_body_once(party, call, person):
    token = (await party.sign_in())["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    body = f"access_token={token}"
    for method, headers, content in (
        ("GET", bearer, None),
        ("POST", bearer, None),
        ("POST", form, body),
    ):
        answer = await call(method, "/oauth/userinfo", headers=headers, content=content)
        assert (answer.status_code, answer.json()) == (200, {"sub": str(person)})
    twice = await call("POST", "/oauth/userinfo", headers=bearer | form, content=body)
    assert twice.json()["error"] == "invalid_request"


@pytest.mark.parametrize("bad", ["", "Basic x", "Bearer", "Bearer x", "Bearer a.b.c", "Bearer é"])
async def test_userinfo_refuses_what_is_no_token(call, bad):
    headers = {"Authorization": bad.encode()} if bad else {}
    answer = await call("GET", "/oauth/userinfo", headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_id_token_and_system_token_open_no_userinfo(party, call):
    body = await party.sign_in()
    system = (await party.token(grant_type="client_credentials")).json()["access_token"]
    for token, status in ((body["id_token"], 401), (body["refresh_token"], 401), (system, 403)):
        answer = await call("GET", "/oauth/userinfo", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == status


async def test_forged_access_token_opens_nothing(party, call):
    token = (await party.sign_in())["access_token"]
    read = await party.claims_of(token)
    header = dict(read.header)
    forged = [
        jwt.encode(header, read.claims, OTHER),
        token[:-4] + "AAAA",
        jwt.encode(header | {"kid": OTHER.thumbprint()}, read.claims, OTHER),
        jwt.encode(header | {"kid": "\x00"}, read.claims, OTHER),
        jwt.encode(header | {"kid": "\ud800"}, read.claims, OTHER),
        json.dumps(read.claims),
    ]
    for one in forged:
        answer = await call("GET", "/oauth/userinfo", headers={"Authorization": f"Bearer {one}"})
        assert answer.status_code == 401


async def test_userinfo_is_signed_for_a_client_that_asked_for_it(party_of, sign_in, person, call):
    party = await party_of(userinfo_algorithm="RS256")
    await sign_in(person, party)
    token = (await party.sign_in())["access_token"]
    answer = await call("GET", "/oauth/userinfo", headers={"Authorization": f"Bearer {token}"})
    assert answer.headers["Content-Type"] == "application/jwt"
    claims = (await party.claims_of(answer.text)).claims
    assert claims == {"sub": str(person), "iss": ISSUER, "aud": party.client_id}
