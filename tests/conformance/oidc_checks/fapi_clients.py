"""FAPI 2.0 Security Profile (Final): how a client proves itself (5.3.2.1; RFC 7523), and whose a
code is.
"""

import secrets

from joserfc.jwk import ECKey, RSAKey
from oidc_checks.basic_objects import unsigned
from oidc_checks.fapi_flow import fapi, party_of
from oidc_checks.party import ASSERTION_TYPE, failed

REFUSED = "invalid_client", "invalid_request"


async def _assertion_fails(op, name="fapi", **bent):
    """Refused by the token endpoint and by the endpoint that takes pushed requests."""
    party = party_of(op, name)
    code = await party.code()
    bad = await party.token(party.redemption(code), party.credentials(party.assertion(**bent)))
    failed(bad, *REFUSED)
    pushed = await party.push(party.request(), party.credentials(party.assertion(**bent)))
    failed(pushed, *REFUSED)


@fapi("ensure-client-id-in-token-endpoint")
async def client_id_in_token_endpoint(op):
    """`client_id` beside an assertion must be the same client's (RFC 7521 4.2)."""
    party, other = party_of(op), party_of(op, "fapi2")
    code = await party.code()
    failed(await party.redeem(code, client_id=other.client_id), "invalid_client", "invalid_grant",
           "invalid_request")  # fmt: skip
    answer = await party.redeem(await party.code(), client_id=party.client_id)
    assert answer.status_code == 200, answer.text


@fapi("ensure-holder-of-key-required")
async def holder_of_key(op):
    """Also where nothing has named a key before."""
    party = party_of(op)
    request = party.request()
    pushed = await party.pushed(request, make_proof=lambda _: [])
    code = party.accepted(await party.authorize(request=pushed), request)["code"]
    answer = await party.redeem(code, make_proof=lambda _: [])
    failed(answer, "invalid_dpop_proof", "invalid_request", "invalid_grant")


@fapi("ensure-authorization-code-is-bound-to-client")
async def code_of_another(op):
    party, other = party_of(op), party_of(op, "fapi2")
    other.proof_key = party.proof_key
    code = await party.code()
    stolen = other.redemption(code, code_verifier=party.verifier, redirect_uri=party.back)
    failed(await other.token(stolen), "invalid_grant")


@fapi("attempt-reuse-authorization-code-after-one-second")
async def reuse_after_a_second(op):
    party = party_of(op)
    code = await party.code()
    first = await party.redeem(code)
    assert first.status_code == 200, first.text
    await op.pass_time(1)
    failed(await party.redeem(code), "invalid_grant")
    assert (await party.userinfo(first.json()["access_token"])).status_code == 401


@fapi("ensure-token-endpoint-fails-with-expired-auth-code")
async def expired_code(op):
    """5.3.2.1: at most 60 seconds."""
    party = party_of(op)
    code = await party.code()
    await op.pass_time(61)
    failed(await party.redeem(code), "invalid_grant")


@fapi("ensure-signed-client-assertion-with-RS256-fails")
async def rs256(op):
    key = RSAKey.generate_key(2048)
    await _assertion_fails(op, key=key, algorithm="RS256")
    assert "RS256" not in op.metadata["token_endpoint_auth_signing_alg_values_supported"] or (
        not op.refuses
    )


@fapi("ensure-client-assertion-in-token-endpoint")
async def without_assertion(op):
    party = party_of(op)
    code = await party.code()
    failed(await party.token(party.redemption(code), {"client_id": party.client_id}), *REFUSED)


@fapi("ensure-client-assertion-with-exp-is-5-minutes-in-past-fails")
async def expired_assertion(op):
    now = op.now()
    await _assertion_fails(op, exp=now - 300, iat=now - 360)


@fapi("ensure-client-assertion-with-wrong-aud-fails")
async def wrong_audience(op):
    await _assertion_fails(op, aud="https://other.example/")


@fapi("ensure-client-assertion-with-no-sub-fails")
async def without_subject(op):
    await _assertion_fails(op, sub=None)


@fapi("ensure-invalid-client-assertions-fail")
async def invalid_assertions(op):
    """Another's key, no signature, another issuer, no jti, one that was used already."""
    party = party_of(op, "fapi3")
    for bent in ({"key": ECKey.generate_key("P-256")}, {"iss": "somebody"}, {"jti": None},
                 {"exp": None}, {"sub": "somebody"}):  # fmt: skip
        code = await party.code()
        bad = await party.token(party.redemption(code), party.credentials(party.assertion(**bent)))
        failed(bad, *REFUSED)
    claims = {"iss": party.client_id, "sub": party.client_id, "aud": op.issuer, "jti": "none",
              "iat": op.now(), "exp": op.now() + 60}  # fmt: skip
    failed(await party.push(party.request(), party.credentials(unsigned(claims))), *REFUSED)
    failed(await party.push(party.request(), {"client_assertion_type": ASSERTION_TYPE}), *REFUSED)
    await _once(party)


async def _once(party):
    jti = secrets.token_urlsafe(16)
    party.proof_key = None
    sent = [await party.push(party.request(), party.credentials(party.assertion(jti=jti)))
            for _ in range(2)]  # fmt: skip
    assert sent[0].status_code == 201, sent[0].text
    failed(sent[1], *REFUSED)


@fapi("par-ensure-jwt-client-assertions-nbf-8-seconds-in-the-future-is-accepted")
async def slightly_ahead(op):
    party = party_of(op)
    ahead = op.now() + 8
    assertion = party.assertion(nbf=ahead, iat=ahead, exp=ahead + 60)
    answer = await party.push(party.request(), party.credentials(assertion))
    assert answer.status_code == 201, answer.text


@fapi("par-ensure-jwt-client-assertions-nbf-over-60-seconds-in-the-future-fails")
async def far_ahead(op):
    ahead = op.now() + 70
    await _assertion_fails(op, nbf=ahead, exp=ahead + 60)
    # The module asks for nbf alone; 5.3.2.1 names iat beside it, which the control overlooks.
    if op.refuses:
        await _assertion_fails(op, iat=ahead, exp=ahead + 60)


@fapi("par-test-array-as-audience-fails")
async def audience_list(op):
    await _assertion_fails(op, "fapi2", aud=[op.issuer, "https://other.example/"])
    await _assertion_fails(op, "fapi2", aud=[op.issuer])


@fapi("par-test-par-endpoint-url-as-audience-fails")
async def audience_par(op):
    await _assertion_fails(op, "fapi2", aud=op.metadata["pushed_authorization_request_endpoint"])


@fapi("par-test-token-endpoint-url-as-audience-fails")
async def audience_token(op):
    await _assertion_fails(op, "fapi2", aud=op.metadata["token_endpoint"])
