"""Basic OP: the code flow (OpenID Connect Core 1.0 sections 3.1, 5 and 12; RFC 6749).

Checks send PKCE and prove the client by private_key_jwt; what ours refuses on purpose of the rest
stands in `basic_differences`.
"""

from oidc_checks.party import failed
from oidc_checks.registry import check

BASIC = "Basic"
STANDARD = {
    "profile": {
        "name", "family_name", "given_name", "middle_name", "nickname", "preferred_username",
        "profile", "picture", "website", "gender", "birthdate", "zoneinfo", "locale", "updated_at",
    },
    "email": {"email", "email_verified"},
    "phone": {"phone_number", "phone_number_verified"},
    "address": {"address"},
}  # fmt: skip


@check(BASIC, "oidcc-server")
async def happy_flow(op):
    party = op.party()
    body, claims = await party.tokens()
    answer = await party.userinfo(body["access_token"])
    assert answer.status_code == 200, answer.text
    assert answer.json()["sub"] == claims["sub"]


@check(BASIC, "oidcc-response-type-missing")
async def response_type_missing(op):
    party = op.party()
    request = party.request(response_type=None)
    landing = await party.authorize(request=request)
    party.refused(landing, request, "invalid_request", "unsupported_response_type")


@check(BASIC, "oidcc-idtoken-signature")
async def id_token_signature(op):
    party = op.party()
    body, _ = await party.tokens()
    header, _ = await op.read(body["id_token"])
    assert header["alg"] != "none"
    keys = (await op.http.get(op.metadata["jwks_uri"])).json()["keys"]
    named = [key for key in keys if key.get("kid") == header.get("kid")]
    assert len(named) == 1
    assert named[0].get("use", "sig") == "sig"


async def _userinfo(op, method, *, in_body=False):
    party = op.party()
    body, claims = await party.tokens(scope="openid profile")
    more = {"body": {"access_token": body["access_token"]}} if in_body else {}
    answer = await party.userinfo(body["access_token"], method, **more)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.json()["sub"] == claims["sub"]
    assert answer.json()["name"]


@check(BASIC, "oidcc-userinfo-get")
async def userinfo_get(op):
    await _userinfo(op, "GET")
    refused = await op.party().userinfo("no-token-of-yours")
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Bearer")


@check(BASIC, "oidcc-userinfo-post-header")
async def userinfo_post_header(op):
    await _userinfo(op, "POST")


@check(BASIC, "oidcc-userinfo-post-body")
async def userinfo_post_body(op):
    await _userinfo(op, "POST", in_body=True)


@check(BASIC, "oidcc-ensure-request-without-nonce-succeeds-for-code-flow")
async def without_nonce(op):
    _, claims = await op.party().tokens(nonce=None)
    assert "nonce" not in claims


async def _scopes(op, *scopes):
    """Claims are opened by their scope alone, and none is invented (Core 5.4)."""
    party = op.party()
    body, claims = await party.tokens(scope=" ".join(("openid", *scopes)))
    answer = await party.userinfo(body["access_token"])
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found.pop("sub") == claims["sub"]
    opened = set().union(*(STANDARD[scope] for scope in scopes))
    assert set(found) <= opened, f"not asked for: {set(found) - opened}"
    assert set(claims) & set().union(*STANDARD.values()) <= opened
    granted = set(body.get("scope", " ".join(scopes)).split())
    assert set(scopes) <= granted, "what was not given must be told"
    if "profile" in scopes:
        assert isinstance(found["name"], str)
    return found


@check(BASIC, "oidcc-scope-profile")
async def scope_profile(op):
    await _scopes(op, "profile")


@check(BASIC, "oidcc-scope-email")
async def scope_email(op):
    found = await _scopes(op, "email")
    assert isinstance(found.get("email_verified", False), bool)


@check(BASIC, "oidcc-scope-address")
async def scope_address(op):
    found = await _scopes(op, "address")
    assert isinstance(found.get("address", {}), dict)


@check(BASIC, "oidcc-scope-phone")
async def scope_phone(op):
    found = await _scopes(op, "phone")
    assert isinstance(found.get("phone_number_verified", False), bool)


@check(BASIC, "oidcc-scope-all")
async def scope_all(op):
    await _scopes(op, "profile", "email", "address", "phone")


@check(BASIC, "oidcc-alternate-happy-flow")
async def alternate_happy_flow(op):
    """Scopes in another order, a state of every sign that a URL must encode."""
    party = op.party()
    state = "a/b+c=d&e%f g~'\"<é"
    body, claims = await party.tokens(scope="profile openid", state=state)
    assert (await party.userinfo(body["access_token"])).json()["sub"] == claims["sub"]


@check(BASIC, "oidcc-display-page")
async def display_page(op):
    await op.party().tokens(display="page")


@check(BASIC, "oidcc-display-popup")
async def display_popup(op):
    await op.party().tokens(display="popup")


@check(BASIC, "oidcc-prompt-login")
async def prompt_login(op):
    party, browser = op.party(), op.browser
    _, first = await party.tokens(max_age="10000")
    await op.pass_time(2)
    seen = browser.sign_ins
    _, second = await party.tokens(prompt="login", max_age="10000")
    assert browser.sign_ins == seen + 1, "the person was not asked to sign in again"
    assert second["auth_time"] > first["auth_time"]
    assert second["sub"] == first["sub"]


@check(BASIC, "oidcc-prompt-none-not-logged-in")
async def prompt_none_not_logged_in(op):
    party = op.party()
    request = party.request(prompt="none")
    landing = await party.authorize(op.fresh_browser(), request)
    party.refused(landing, request, "login_required", "interaction_required")


@check(BASIC, "oidcc-prompt-none-logged-in")
async def prompt_none_logged_in(op):
    party = op.party()
    _, first = await party.tokens(max_age="10000")
    seen = op.browser.sign_ins, op.browser.agreements
    _, second = await party.tokens(prompt="none", max_age="10000")
    assert (op.browser.sign_ins, op.browser.agreements) == seen
    assert (second["sub"], second["auth_time"]) == (first["sub"], first["auth_time"])


@check(BASIC, "oidcc-max-age-1")
async def max_age_1(op):
    party = op.party()
    _, first = await party.tokens(max_age="10000")
    await op.pass_time(3)
    seen = op.browser.sign_ins
    _, second = await party.tokens(max_age="1")
    assert op.browser.sign_ins == seen + 1, "the person was not asked to sign in again"
    assert second["auth_time"] > first["auth_time"]


@check(BASIC, "oidcc-max-age-10000")
async def max_age_10000(op):
    party = op.party()
    _, first = await party.tokens(max_age="10000")
    await op.pass_time(1)
    seen = op.browser.sign_ins
    _, second = await party.tokens(max_age="10000")
    assert op.browser.sign_ins == seen, "the person was asked again too early"
    assert second["auth_time"] == first["auth_time"]


@check(BASIC, "oidcc-ensure-request-with-unknown-parameter-succeeds")
async def unknown_parameter(op):
    await op.party().tokens(extra="foobar")


@check(BASIC, "oidcc-id-token-hint")
async def id_token_hint(op):
    party = op.party()
    body, first = await party.tokens()
    _, second = await party.tokens(prompt="none", id_token_hint=body["id_token"])
    assert second["sub"] == first["sub"]


@check(BASIC, "oidcc-login-hint")
async def login_hint(op):
    await op.party().tokens(op.fresh_browser(), login_hint=op.facts["login"])


@check(BASIC, "oidcc-ui-locales")
async def ui_locales(op):
    await op.party().tokens(ui_locales="se")


@check(BASIC, "oidcc-claims-locales")
async def claims_locales(op):
    await op.party().tokens(claims_locales="se")


@check(BASIC, "oidcc-ensure-request-with-acr-values-succeeds")
async def acr_values(op):
    """A wish, never a condition (Core 3.1.2.1): also one that nobody knows."""
    values = op.metadata.get("acr_values_supported") or ["1", "2"]
    _, claims = await op.party().tokens(acr_values=f"{values[0]} no-such-acr")
    assert claims.get("acr", values[0]) in values
    await op.party().tokens(acr_values="no-such-acr")


@check(BASIC, "oidcc-codereuse")
async def code_reuse(op):
    await _reuse(op, 0)


@check(BASIC, "oidcc-codereuse-30seconds")
async def code_reuse_later(op):
    await _reuse(op, 30)


async def _reuse(op, seconds):
    """RFC 6749 4.1.2: a second use is refused, and what the first gave should end."""
    party = op.party()
    code = await party.code(scope="openid profile")
    first = await party.redeem(code)
    assert first.status_code == 200, first.text
    token = first.json()["access_token"]
    assert (await party.userinfo(token)).status_code == 200
    await op.pass_time(seconds)
    failed(await party.redeem(code), "invalid_grant")
    assert (await party.userinfo(token)).status_code == 401


@check(BASIC, "oidcc-ensure-registered-redirect-uri")
async def registered_redirect(op):
    party = op.party()
    for spoilt in (
        f"{party.back}/more",
        f"{party.back}?x=y",
        party.back.upper(),
        "https://evil.example/",
    ):
        landing = await party.authorize(request=party.request(redirect_uri=spoilt))
        assert not landing.is_at_client, f"sent to {landing.url}"
        assert landing.status >= 400


@check(BASIC, "oidcc-ensure-post-request-succeeds")
async def post_request(op):
    party = op.party()
    request = party.request()
    landing = await party.authorize(request=request, method="POST")
    await party.granted(await party.redeem(party.accepted(landing, request)["code"]), request)


@check(BASIC, "oidcc-claims-essential")
async def claims_essential(op):
    party = op.party()
    body, _ = await party.tokens(claims='{"userinfo": {"name": {"essential": true}}}')
    answer = await party.userinfo(body["access_token"])
    assert answer.status_code == 200, answer.text
    assert answer.json()["name"]


@check(BASIC, "oidcc-refresh-token")
async def refresh_token(op):
    """RFC 6749 section 6, Core section 12: bound to its client, and the ID token stays the same."""
    party = op.party()
    body, first = await party.tokens(scope="openid offline_access", prompt="consent")
    form = {"grant_type": "refresh_token", "refresh_token": body["refresh_token"]}
    failed(await op.party("web2").token(form), "invalid_grant")
    answer = await party.token(form)
    assert answer.status_code == 200, answer.text
    again = answer.json()
    assert again["access_token"] != body["access_token"]
    if "id_token" in again:
        _, second = await op.read(again["id_token"])
        same = ("iss", "sub", "aud", "auth_time", "azp")
        assert {n: second.get(n) for n in same} == {n: first.get(n) for n in same}
        assert second["iat"] >= first["iat"]
    assert (await party.userinfo(again["access_token"])).status_code == 200


@check(BASIC, "oidcc-ensure-request-with-valid-pkce-succeeds")
async def valid_pkce(op):
    party = op.party()
    code = await party.code()
    failed(await party.redeem(code, code_verifier="a" * 43), "invalid_grant")
    code = await party.code()
    assert (await party.redeem(code)).status_code == 200
