"""Dynamic OP: what of it needs no registration by the relying party itself (OpenID Connect Core 3.1.2,
5.3.2); that is `registration`'s. What is not supported stands in a list.
"""

from oidc_checks.party import failed
from oidc_checks.registry import check, not_supported

DYNAMIC = "Dynamic"
for name, why in {
    "oidcc-request-uri-signed-rs256": "request_uri at the client is not fetched (SSRF)",
    "oidcc-request-uri-unsigned": "request_uri at the client is not fetched (SSRF)",
    "oidcc-server-rotate-keys": "keys turn by an operator's command, not over HTTP; tests of keys",
}.items():
    not_supported(DYNAMIC, name, why)


@check(DYNAMIC, "oidcc-ensure-client-assertion-with-iss-aud-succeeds")
async def issuer_as_audience(op):
    party = op.party()
    credentials = party.credentials(party.assertion(aud=op.issuer))
    request = party.request()
    code = party.accepted(await party.authorize(request=request), request)["code"]
    await party.granted(await party.token(party.redemption(code), credentials), request)


@check(DYNAMIC, "oidcc-ensure-redirect-uri-in-authorization-request")
async def redirect_in_request(op):
    party = op.party()
    landing = await party.authorize(request=party.request(redirect_uri=None))
    assert not landing.is_at_client
    assert landing.status >= 400
    code = await party.code()
    failed(await party.redeem(code, redirect_uri=None), "invalid_grant", "invalid_request")


@check(DYNAMIC, "oidcc-idtoken-rs256")
async def id_token_rs256(op):
    body, _ = await op.party("web2").tokens()
    header, _ = await op.read(body["id_token"])
    assert header["alg"] == "RS256"


@check(DYNAMIC, "oidcc-userinfo-rs256")
async def userinfo_rs256(op):
    party = op.party("web2")
    body, claims = await party.tokens()
    answer = await party.userinfo(body["access_token"])
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/jwt")
    header, told = await op.read(answer.text)
    assert header["alg"] == "RS256"
    assert (told["iss"], told["sub"]) == (op.issuer, claims["sub"])
    assert told["aud"] in (party.client_id, [party.client_id])


@check(DYNAMIC, "oidcc-redirect-uri-query-OK")
async def query_kept(op):
    party = op.party("query")
    request = party.request()
    landing = await party.authorize(request=request)
    assert landing.is_at_client, landing.text[:300]
    assert landing.address == party.back.partition("?")[0]
    assert landing.parameters["kept"] == "1"
    code = landing.parameters["code"]
    await party.granted(await party.redeem(code), request)


async def _page(op, name, redirect):
    party = op.party(name)
    landing = await party.authorize(request=party.request(redirect_uri=redirect(party)))
    assert not landing.is_at_client, f"sent to {landing.url}"
    assert landing.status >= 400


@check(DYNAMIC, "oidcc-redirect-uri-query-added")
async def query_added(op):
    await _page(op, "web", lambda party: f"{party.back}?foo=bar")
    await _page(op, "query", lambda party: f"{party.back}&foo=bar")


@check(DYNAMIC, "oidcc-redirect-uri-query-mismatch")
async def query_mismatch(op):
    await _page(op, "query", lambda party: party.back.replace("kept=1", "kept=2"))
