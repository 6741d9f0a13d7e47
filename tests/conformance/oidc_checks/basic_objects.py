"""Basic OP: request objects (OpenID Connect Core section 6), which a provider may leave unsupported
but must not overlook; and what ours refuses on purpose.
"""

import json

from oidc_checks.party import b64, by_hand, failed
from oidc_checks.registry import check, differs

BASIC = "Basic"
REFUSALS = ("request_not_supported", "request_uri_not_supported", "invalid_request_object",
            "invalid_request_uri", "invalid_request")  # fmt: skip
NO_PKCE = "PKCE S256 is required of every client (RFC 9700 section 2.1.1)"
NO_SECRET = "clients prove themselves by key or certificate; shared secrets are not given out"
NO_NONE = "an ID token is always signed; `none` is neither offered nor registrable"


def unsigned(claims):
    return f"{b64(json.dumps({'alg': 'none'}).encode())}.{b64(json.dumps(claims).encode())}."


async def _taken_or_refused(party, request, wanted):
    """`wanted`: what counts if the object is taken; overlooking it is the one wrong answer."""
    landing = await party.authorize(request=request)
    if not landing.is_at_client:
        assert landing.status >= 400, f"{landing.status} {landing.url}"
        return
    found = landing.parameters
    if "error" in found:
        assert found["error"] in REFUSALS, found
        assert found.get("state") in (wanted["state"], request.get("state")), found
        return
    code = party.accepted(landing, wanted)["code"]
    await party.granted(await party.redeem(code), wanted)


@check(BASIC, "oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported")
async def unsigned_request_object(op):
    party = op.party()
    wanted = party.request()
    plain = {n: wanted[n] for n in ("client_id", "response_type", "redirect_uri", "scope", "state",
                                    "code_challenge", "code_challenge_method")}  # fmt: skip
    await _taken_or_refused(
        party, plain | {"request": unsigned(wanted), "nonce": "outside"}, wanted
    )


@check(BASIC, "oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported")
async def request_uri_unsigned(op):
    party = op.party()
    wanted = party.request()
    reference = {"request_uri": "https://127.0.0.1:9/request.jwt", "nonce": "outside"}
    await _taken_or_refused(party, wanted | reference, wanted)


@check(BASIC, "oidcc-ensure-request-object-with-redirect-uri")
async def request_object_with_redirect_uri(op):
    """The address outside is bad: where signed objects are served the object's counts, elsewhere
    nothing is sent anywhere.
    """
    party = op.party()
    wanted = party.request()
    is_served = "ES256" in op.metadata.get("request_object_signing_alg_values_supported", [])
    now, head = op.now(), {"alg": "ES256", "typ": "oauth-authz-req+jwt"}
    times = {"iss": party.client_id, "aud": op.issuer, "nbf": now, "exp": now + 60}
    made = by_hand(head, wanted | times, party.key) if is_served else unsigned(wanted)
    request = wanted | {"request": made, "redirect_uri": f"{party.back}/bad", "nonce": "outside"}
    landing = await party.authorize(request=request)
    if is_served:
        code = party.accepted(landing, wanted)["code"]
        await party.granted(await party.redeem(code), wanted)
    elif landing.is_at_client:
        assert landing.address == party.back, f"sent to {landing.url}"
    else:
        assert landing.status >= 400


async def without_pkce_refused(op):
    party = op.party()
    for left_out in ({"code_challenge": None, "code_challenge_method": None},
                     {"code_challenge_method": None}, {"code_challenge_method": "plain"}):  # fmt: skip
        request = party.request(**left_out)
        landing = await party.authorize(request=request)
        party.refused(landing, request, "invalid_request")


@differs(BASIC, "oidcc-server-without-pkce", NO_PKCE, without_pkce_refused)
async def without_pkce(op):
    """As every module of Basic sends its requests."""
    party = op.party()
    request = party.request(code_challenge=None, code_challenge_method=None)
    landing = await party.authorize(request=request)
    code = party.accepted(landing, request)["code"]
    await party.granted(await party.redeem(code, code_verifier=None), request)


async def secret_refused(op):
    party = op.party()
    code = await party.code()
    secret = {"client_id": party.client_id, "client_secret": "secret-of-nobody"}
    failed(await party.token(party.redemption(code), secret), "invalid_client", status=(401,))
    offered = op.metadata["token_endpoint_auth_methods_supported"]
    assert not [one for one in offered if one.startswith("client_secret")]


@differs(BASIC, "oidcc-server-client-secret-post", NO_SECRET, secret_refused)
async def client_secret_post(op):
    party = op.party("secret")
    request = party.request()
    code = party.accepted(await party.authorize(request=request), request)["code"]
    secret = {"client_id": party.client_id, "client_secret": party.client["secret"]}
    await party.granted(await party.token(party.redemption(code), secret), request)


async def unsigned_id_token_refused(op):
    party = op.party()
    assert "none" not in op.metadata["id_token_signing_alg_values_supported"]
    body, claims = await party.tokens()
    header, _ = await op.read(body["id_token"])
    assert header["alg"] != "none"
    request = party.request(prompt="none", id_token_hint=unsigned(claims))
    landing = await party.authorize(request=request)
    party.refused(landing, request, "invalid_request", "login_required")


@differs(BASIC, "oidcc-idtoken-unsigned", NO_NONE, unsigned_id_token_refused)
async def unsigned_id_token(op):
    """Core section 2: only where the client registered it; else the module does not apply."""
    if "none" in op.metadata["id_token_signing_alg_values_supported"]:
        party = op.party("unsigned")
        answer = await party.redeem(await party.code())
        assert answer.status_code == 200, answer.text
        assert answer.json()["id_token"].endswith(".")
