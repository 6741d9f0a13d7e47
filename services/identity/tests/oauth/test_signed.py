"""What is signed both ways: requests by their client (RFC 9101), introspection by us (RFC 9701)."""

from urllib.parse import urlsplit

import pytest
from joserfc.jwk import ECKey

ISSUER = "https://bus.example"
STATEMENT = "application/token-introspection+jwt"


@pytest.fixture
def signed(by_hand):
    """A party's request as an object: `claims` and `header` bend it, None leaves one out."""

    def make(party, claims=None, header=None, key=None):
        whole = party.request() | {
            "iss": party.client_id, "aud": ISSUER, "exp": party.now + 60, "nbf": party.now,
        } | (claims or {})  # fmt: skip
        head = {"alg": "ES256", "typ": "oauth-authz-req+jwt"} | (header or {})
        told = [{k: v for k, v in part.items() if v is not None} for part in (head, whole)]
        return by_hand(*told, key or party.key)

    return make


async def authorize(party, compact, **beside):
    return await party.raw_authorize({"client_id": party.client_id, "request": compact} | beside)


# --- requests --------------------------------------------------------------------------------------
async def test_what_the_client_signed_counts_and_nothing_beside_it(party, signed):
    asked = {"claims": {"id_token": {"acr": None}}, "max_age": 3_600, "state": "inside"}
    beside = {
        "state": "outside", "scope": "openid profile offline_access", "redirect_uri": "https://evil.example",
        "prompt": "login", "response_mode": "form_post",
    }  # fmt: skip
    answer = await authorize(party, signed(party, asked | {"scope": "openid"}), **beside)
    back = party.answered(answer)
    assert (back["state"], back["iss"]) == ("inside", ISSUER)
    tokens = (await party.redeem(back["code"])).json()
    assert tokens["scope"] == "openid"
    assert "refresh_token" not in tokens


async def test_signed_request_is_pushed_and_used_once(party, signed):
    form = {"request": signed(party), "scope": "openid"} | party.credentials()
    pushed = await party.post("/oauth/par", form)
    assert pushed.status_code == 201, pushed.text
    named = {"client_id": party.client_id, "request_uri": pushed.json()["request_uri"]}
    code = party.answered(await party.raw_authorize(named))["code"]
    assert (await party.redeem(code)).json()["scope"] == "offline_access openid profile"
    assert (await party.raw_authorize(named)).status_code == 400


@pytest.mark.parametrize(
    ("claims", "header"),
    [
        ({"iss": None}, {}),
        ({"iss": "another"}, {}),
        ({"client_id": "01999999-0000-7000-8000-000000000000"}, {}),
        ({"aud": None}, {}),
        ({"aud": "https://other.example"}, {}),
        ({"aud": [ISSUER, "https://other.example"]}, {}),
        ({"exp": None}, {}),
        ({"exp": 1}, {}),
        ({"exp": True}, {}),
        ({"exp": 4_000_000_000}, {}),
        ({"exp": 1e300}, {}),
        ({"nbf": 4_000_000_000}, {}),
        ({"nbf": 1}, {}),
        ({"sub": "x"}, {}),
        ({"request": "x"}, {}),
        ({"request_uri": "urn:x"}, {}),
        ({"state": ["a"]}, {}),
        ({"state": "\x00"}, {}),
        ({"state": "\ud800"}, {}),
        ({"state": True}, {}),
        ({}, {"alg": "none"}),
        ({}, {"alg": "HS256"}),
        ({}, {"typ": "at+jwt"}),
        ({}, {"typ": "dpop+jwt"}),
        ({}, {"kid": "unknown"}),
        ({}, {"jwk": {}}),
        ({}, {"crit": ["exp"]}),
    ],
)
async def test_bent_request_leads_nowhere(party, signed, claims, header):
    compact = signed(party, claims, header)
    answer = await authorize(party, compact)
    assert (answer.status_code, "Location" in answer.headers) == (400, False)
    pushed = await party.post("/oauth/par", {"request": compact} | party.credentials())
    assert (pushed.status_code, pushed.json()["error"]) == (400, "invalid_request_object")


async def test_request_by_another_key_or_that_is_an_assertion_is_refused(party, party_of, signed):
    foreign = signed(party, key=ECKey.generate_key("P-256"))
    assertion = party.credentials()["client_assertion"]
    for compact in (foreign, assertion, "x", "a.b.c"):
        assert (await authorize(party, compact)).status_code == 400
    as_assertion = party.credentials() | {"client_assertion": signed(party, header={"typ": "jwt"})}
    answer = await party.post("/oauth/token", {"grant_type": "client_credentials"} | as_assertion)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    public = await party_of("public", name="open")
    assert (await authorize(public, signed(public, key=party.key))).status_code == 400


async def test_client_that_must_sign_is_refused_unsigned(party_of, sign_in, person, signed):
    party = await party_of(is_request_object_required=True)
    await sign_in(person, party)
    assert (await party.authorize()).status_code == 400
    plain = await party.post("/oauth/par", party.request() | party.credentials())
    assert plain.json()["error"] == "invalid_request"
    assert "code" in party.answered(await authorize(party, signed(party)))
    pushed = await party.post("/oauth/par", {"request": signed(party)} | party.credentials())
    reference = pushed.json()["request_uri"]
    both = await authorize(party, signed(party), request_uri=reference)
    assert both.status_code == 400
    named = {"client_id": party.client_id, "request_uri": reference}
    assert urlsplit((await party.raw_authorize(named)).headers["Location"]).hostname == "rp.example"


# --- introspection ---------------------------------------------------------------------------------
async def stated(party, token):
    form = {"token": token} | party.credentials()
    answer = await party.post("/oauth/introspect", form, headers={"Accept": STATEMENT})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, STATEMENT)
    assert answer.headers["Cache-Control"] == "no-store"
    return await party.claims_of(answer.text)


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
async def test_who_accepts_a_signed_statement_gets_one_for_itself(
    party_of, sign_in, person, algorithm
):
    party = await party_of(introspection_algorithm=algorithm)
    await sign_in(person, party)
    token = (await party.sign_in())["access_token"]
    statement = await stated(party, token)
    assert statement.header["typ"] == "token-introspection+jwt"
    assert statement.header["alg"] == algorithm
    assert set(statement.claims) == {"iss", "aud", "iat", "token_introspection"}
    assert (statement.claims["iss"], statement.claims["aud"]) == (ISSUER, party.client_id)
    assert statement.claims["token_introspection"] == await party.introspect(token)
    unknown = (await stated(party, "x.y.z")).claims
    assert unknown["token_introspection"] == {"active": False}


async def test_statement_passes_for_no_token(party):
    token = (await party.sign_in())["access_token"]
    form = {"token": token} | party.credentials()
    text = (await party.post("/oauth/introspect", form, headers={"Accept": STATEMENT})).text
    assert await party.introspect(text) == {"active": False}
    answer = await party.call("GET", "/oauth/userinfo", headers={"Authorization": f"Bearer {text}"})
    assert answer.status_code == 401
    assert party.answered(await party.authorize(id_token_hint=text))["error"] == "invalid_request"


async def test_stranger_gets_no_statement(party):
    form = {"token": "x", "client_id": party.client_id}
    answer = await party.post("/oauth/introspect", form, headers={"Accept": STATEMENT})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_discovery_tells_of_both(call):
    told = (await call("GET", "/.well-known/openid-configuration")).json()
    assert told["request_parameter_supported"]
    assert not told["request_uri_parameter_supported"]
    assert told["request_object_signing_alg_values_supported"] == ["ES256"]
    assert told["introspection_signing_alg_values_supported"] == ["ES256", "RS256"]
