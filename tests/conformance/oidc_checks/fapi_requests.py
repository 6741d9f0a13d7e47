"""FAPI 2.0 Security Profile (Final): what is pushed, what comes to the authorization endpoint, and
PKCE (5.3.2.2; RFC 9126, RFC 7636).
"""

from urllib.parse import urlencode

from oidc_checks.basic_objects import REFUSALS
from oidc_checks.fapi_flow import fapi, party_of
from oidc_checks.party import failed

EXPIRED_SECONDS = 610  # 5.3.2.2: a pushed request lives less than 600 seconds


async def _not_pushed(party, *codes, **more):
    answer = await party.push(party.request(**more))
    failed(answer, *(codes or ("invalid_request",)))


def _nowhere(landing):
    """A page of the provider; or a refusal at the proven address, never a code."""
    if landing.is_at_client:
        assert "error" in landing.parameters, landing.url
        assert "code" not in landing.parameters
    else:
        assert landing.status >= 400, f"{landing.status} {landing.text[:300]}"


async def _inside_counts(op, **outside):
    """Parameters beside `request_uri` are no part of the request (RFC 9101 6.3)."""
    party = party_of(op)
    request = party.request()
    landing = await party.authorize(request=await party.pushed(request) | outside)
    if landing.is_at_client and "error" in landing.parameters:
        assert landing.parameters["error"] in REFUSALS, landing.url
        return
    code = party.accepted(landing, request)["code"]
    await party.granted(await party.redeem(code), request)


@fapi("ensure-different-nonce-inside-and-outside-request-object")
async def different_nonce(op):
    await _inside_counts(op, nonce="outside")


@fapi("ensure-different-state-inside-and-outside-request-object")
async def different_state(op):
    await _inside_counts(op, state="outside")


@fapi("state-only-outside-request-object-not-used")
async def state_only_outside(op):
    party = party_of(op)
    request = party.request(state=None)
    landing = await party.authorize(request=await party.pushed(request) | {"state": "outside"})
    party.accepted(landing, request)
    assert "state" not in landing.parameters


@fapi("ensure-request-object-without-redirect-uri-fails")
async def pushed_without_redirect(op):
    await _not_pushed(party_of(op), redirect_uri=None)


@fapi("ensure-registered-redirect-uri")
async def registered_redirect(op):
    party = party_of(op)
    await _not_pushed(
        party, "invalid_request", "invalid_redirect_uri", redirect_uri=f"{party.back}/x"
    )


@fapi("plain-fapi-tolerate-unregistered-redirect-uri")
async def unregistered_redirect(op):
    """A provider may take one that is pushed by a proven client (RFC 9126 2.4), or refuse it."""
    party = party_of(op)
    other = f"{party.back}?dummy=1"
    answer = await party.push(party.request(redirect_uri=other))
    if answer.status_code != 201:
        failed(answer, "invalid_request", "invalid_redirect_uri")
        return
    pushed = {"client_id": party.client_id, "request_uri": answer.json()["request_uri"]}
    landing = await party.authorize(request=pushed)
    assert landing.url.startswith(other)


@fapi("ensure-unsigned-authorization-request-without-using-par-fails")
async def without_par(op):
    party = party_of(op)
    party.pushes = False
    request = party.request()
    _nowhere(await party.authorize(request=request))


@fapi("ensure-redirect-uri-in-authorization-request")
async def without_redirect_at_all(op):
    party = party_of(op)
    party.pushes = False
    landing = await party.authorize(request=party.request(redirect_uri=None))
    assert not landing.is_at_client
    assert landing.status >= 400
    await _not_pushed(party, redirect_uri=None)


async def _no_other_type(op, response_type):
    party = party_of(op)
    answer = await party.push(party.request(response_type=response_type))
    codes = "unsupported_response_type", "invalid_request", "unauthorized_client"
    failed(answer, *codes)
    assert response_type not in op.metadata["response_types_supported"] or not op.refuses


@fapi("ensure-response-type-code-idtoken-fails")
async def code_id_token(op):
    await _no_other_type(op, "code id_token")


@fapi("ensure-response-type-token-fails")
async def token_type(op):
    await _no_other_type(op, "token")


@fapi("par-ensure-reused-request-uri-prior-to-auth-completion-succeeds")
async def reload_before_sign_in(op):
    """5.3.2.2 note 3: a page that is loaded twice uses nothing up."""
    party, browser = party_of(op), op.fresh_browser()
    request = party.request()
    pushed = await party.pushed(request)
    browser.looks = True
    first = await party.authorize(browser, pushed)
    assert not first.is_at_client
    assert first.status == 200
    browser.looks = False
    landing = await party.authorize(browser, pushed)
    await party.granted(await party.redeem(party.accepted(landing, request)["code"]), request)


@fapi("par-attempt-reuse-request_uri")
async def reuse(op):
    party = party_of(op)
    request = party.request()
    pushed = await party.pushed(request)
    party.accepted(await party.authorize(request=pushed), request)
    _nowhere(await party.authorize(request=pushed))


@fapi("par-attempt-to-use-expired-request_uri")
async def expired(op):
    party = party_of(op)
    answer = await party.push(party.request())
    assert 5 <= answer.json()["expires_in"] < 600
    pushed = {"client_id": party.client_id, "request_uri": answer.json()["request_uri"]}
    await op.pass_time(answer.json()["expires_in"] + 1)
    _nowhere(await party.authorize(request=pushed))


@fapi("par-attempt-to-use-request_uri-for-different-client")
async def of_another_client(op):
    party, other = party_of(op), party_of(op, "fapi3")
    assert party.back == other.back
    pushed = await party.pushed(party.request())
    landing = await other.authorize(request=pushed | {"client_id": other.client_id})
    _nowhere(landing)


@fapi("par-authorization-request-containing-request_uri-form-param")
async def request_uri_pushed(op):
    party = party_of(op)
    first = await party.pushed(party.request())
    codes = "invalid_request", "request_uri_not_supported"
    await _not_pushed(party, *codes, request_uri=first["request_uri"])


@fapi("par-attempt-invalid-http-method")
async def other_methods(op):
    party = party_of(op)
    url = op.metadata["pushed_authorization_request_endpoint"]
    for method in ("PUT", "PATCH", "DELETE"):
        form = party.request() | party.credentials()
        answer = await op.http.request(method, url, data=form)
        assert answer.status_code in (400, 404, 405), answer.text
    answer = await op.http.get(f"{url}?{urlencode(party.request() | party.credentials())}")
    assert answer.status_code in (400, 404, 405), answer.text


@fapi("par-ensure-pkce-required")
async def pkce_required(op):
    await _not_pushed(party_of(op), code_challenge=None, code_challenge_method=None)


@fapi("par-plain-pkce-rejected")
async def plain_pkce(op):
    party = party_of(op)
    await _not_pushed(party, code_challenge=party.verifier, code_challenge_method="plain")


@fapi("ensure-pkce-code-verifier-required")
async def verifier_required(op):
    party = party_of(op)
    answer = await party.redeem(await party.code(), code_verifier=None)
    failed(answer, "invalid_grant", "invalid_request")


@fapi("incorrect-pkce-code-verifier-rejected")
async def wrong_verifier(op):
    party = party_of(op)
    failed(await party.redeem(await party.code(), code_verifier="w" * 43), "invalid_grant")


@fapi("par-without-duplicate-parameters")
async def without_duplicates(op):
    """The pushed reference alone, with nothing beside it but whose it is."""
    party = party_of(op)
    request = party.request()
    pushed = await party.pushed(request)
    assert set(pushed) == {"client_id", "request_uri"}
    landing = await party.authorize(request=pushed)
    await party.granted(await party.redeem(party.accepted(landing, request)["code"]), request)
