"""FAPI 2.0 Security Profile (Final): the flow, with pushed requests, private_key_jwt and DPoP."""

from joserfc.jwk import ECKey
from oidc_checks.browser import ROUND
from oidc_checks.config import read_metadata
from oidc_checks.party import failed
from oidc_checks.registry import check, not_supported

FAPI = "FAPI 2.0"
NAME = "fapi2-security-profile-final-"
ALGORITHMS = {"ES256", "PS256", "Ed25519", "EdDSA"}


def fapi(name):
    return check(FAPI, NAME + name)


def party_of(op, name="fapi"):
    return op.party(name, proof_key=ECKey.generate_key("P-256"), pushes=True)


not_supported(
    FAPI,
    NAME + "(non-matching intent id)",
    "intents are of the United Kingdom's Open Banking alone",
)


@fapi("discovery-end-point-verification")
async def discovery(op):
    found = await read_metadata(op)
    assert found["issuer"] == op.issuer
    assert "pushed_authorization_request_endpoint" in found
    assert found["authorization_response_iss_parameter_supported"] is True
    assert "private_key_jwt" in found["token_endpoint_auth_methods_supported"]
    assert set(found["token_endpoint_auth_signing_alg_values_supported"]) & ALGORITHMS
    assert set(found["dpop_signing_alg_values_supported"]) & ALGORITHMS
    assert "none" not in found["dpop_signing_alg_values_supported"]
    assert "S256" in found["code_challenge_methods_supported"]
    assert {"authorization_code"} <= set(found["grant_types_supported"])
    assert "password" not in found["grant_types_supported"]


@fapi("happy-flow")
async def happy_flow(op):
    party = party_of(op)
    body, claims = await party.tokens()
    header, _ = await op.read(body["id_token"])
    assert header["alg"] in ALGORITHMS
    answer = await party.userinfo(body["access_token"])
    assert answer.status_code == 200, answer.text
    assert answer.json()["sub"] == claims["sub"]
    second = party_of(op, "fapi2")
    other, _ = await second.tokens()
    assert other["access_token"] != body["access_token"]


@fapi("user-rejects-authentication")
async def user_rejects(op):
    party, browser = party_of(op), op.fresh_browser()
    browser.refuses = True
    request = party.request()
    party.refused(await party.authorize(browser, request), request, "access_denied")


@fapi("ensure-authorization-request-without-state-success")
async def without_state(op):
    await party_of(op).tokens(state=None)


@fapi("ensure-authorization-request-without-nonce-success")
async def without_nonce(op):
    _, claims = await party_of(op).tokens(nonce=None)
    assert "nonce" not in claims


@fapi("ensure-authorization-request-with-64-char-nonce-success")
async def nonce_of_64(op):
    _, claims = await party_of(op).tokens(nonce="n" * 64)
    assert claims["nonce"] == "n" * 64


@fapi("ensure-authorization-request-with-long-nonce")
async def long_nonce(op):
    _, claims = await party_of(op).tokens(nonce="n" * 384)
    assert claims["nonce"] == "n" * 384


@fapi("ensure-authorization-request-with-long-state")
async def long_state(op):
    await party_of(op).tokens(state="s" * 384)


@fapi("ensure-other-scope-order-succeeds")
async def other_scope_order(op):
    body, _ = await party_of(op).tokens(scope="profile openid")
    assert set(body.get("scope", "profile openid").split()) == {"openid", "profile"}


@fapi("test-claims-parameter-identity-claims")
async def identity_claims(op):
    party = party_of(op)
    asked = '{"userinfo": {"name": null}, "id_token": {"name": {"essential": true}, "x": null}}'
    body, claims = await party.tokens(claims=asked)
    assert claims["name"]
    assert "x" not in claims
    answer = await party.userinfo(body["access_token"])
    assert answer.status_code == 200, answer.text
    assert answer.json()["name"] == claims["name"]


@fapi("ensure-essential-acr-claim")
async def essential_acr(op):
    """An essential acr that nobody reaches is an error, not a lesser sign-in (Core 5.5.1.1)."""
    party = party_of(op)
    asked = '{"id_token": {"acr": {"essential": true, "values": ["no-such-acr"]}}}'
    request = party.request(claims=asked)
    landing = await party.authorize(op.fresh_browser(), request)
    if landing.text == ROUND:  # a provider that asks again for ever gives nothing either
        return
    codes = "unmet_authentication_requirements", "access_denied", "login_required"
    party.refused(landing, request, *codes)


@fapi("access-token-type-header-case-sensitivity")
async def token_type_case(op):
    """RFC 9110 11.1: the scheme's case means nothing."""
    party = party_of(op)
    body, _ = await party.tokens()
    for scheme in ("dpop", "DPOP", "DpOp"):
        answer = await party.userinfo(body["access_token"], scheme=scheme)
        assert answer.status_code == 200, f"{scheme}: {answer.text}"


@fapi("refresh-token")
async def refresh(op):
    """5.3.2.1: refresh tokens of confidential clients do not rotate, and are bound to the client."""
    party = party_of(op)
    body, first = await party.tokens(scope="openid offline_access", prompt="consent")
    form = {"grant_type": "refresh_token", "refresh_token": body["refresh_token"]}
    other = party_of(op, "fapi2")
    other.proof_key = party.proof_key
    failed(await other.token(form), "invalid_grant")
    for _ in range(2):
        answer = await party.token(form)
        assert answer.status_code == 200, answer.text
        again = answer.json()
        assert again.get("refresh_token", body["refresh_token"]) == body["refresh_token"]
        assert (await party.userinfo(again["access_token"])).status_code == 200
    if "id_token" in again:
        _, second = await op.read(again["id_token"])
        assert (second["sub"], second["aud"]) == (first["sub"], first["aud"])
    failed(await party.token(form, make_proof=lambda _: []), "invalid_dpop_proof", "invalid_grant",
           "invalid_request")  # fmt: skip
