"""Sign-out that a relying party asks for (OpenID Connect RP-Initiated Logout 1.0), and what other
parties are told of it (Back-Channel Logout 1.0).
"""

import asyncio
import time
from urllib.parse import parse_qs, urlencode

from oidc_checks.basic_objects import unsigned
from oidc_checks.config import read_metadata
from oidc_checks.party import part
from oidc_checks.registry import check

LOGOUT, BACK_CHANNEL = "Logout", "Back-channel"
EVENT = "http://schemas.openid.net/event/backchannel-logout"
NOTICE_SECONDS = 10


class Leaving:
    """A person signed in at a browser of their own, and the party that signs them out."""

    def __init__(self, op, party, browser, id_token, claims):
        self.op, self.party, self.browser = op, party, browser
        self.id_token, self.claims, self.back = (
            id_token,
            claims,
            party.client["post_logout_redirect_uri"],
        )

    @classmethod
    async def begin(cls, op, name="web"):
        party, browser = op.party(name), op.fresh_browser()
        body, claims = await party.tokens(browser)
        return cls(op, party, browser, body["id_token"], claims)

    async def sign_out(self, **parameters):
        place = self.op.metadata["end_session_endpoint"]
        return await self.browser.visit(f"{place}?{urlencode(parameters)}" if parameters else place)

    async def whole(self, **more):
        asked = {
            "id_token_hint": self.id_token, "post_logout_redirect_uri": self.back, "state": "st at&e",
        } | more  # fmt: skip
        return await self.sign_out(
            **{name: value for name, value in asked.items() if value is not None}
        )

    async def is_signed_in(self):
        request = self.party.request(prompt="none")
        landing = await self.party.authorize(self.browser, request)
        assert landing.is_at_client, landing.url
        if "code" in landing.parameters:
            return True
        self.party.refused(landing, request, "login_required", "interaction_required")
        return False

    async def require_stay(self, landing):
        """On a page of the provider, never at an address that is not proven."""
        assert not landing.is_at_client, f"sent to {landing.url}"
        assert landing.status in (200, 400), landing.status

    async def require_asked(self, **parameters):
        """Who cannot prove that a party of ours asks must not sign a person out by a link alone."""
        self.browser.looks = True
        await self.require_stay(await self.sign_out(**parameters))
        self.browser.looks = False
        assert await self.is_signed_in(), "a bare link has signed the person out"


@check(LOGOUT, "oidcc-rp-initiated-logout-discovery-endpoint-verification")
async def discovery(op):
    found = await read_metadata(op)
    assert found["end_session_endpoint"].startswith(op.issuer)


@check(LOGOUT, "oidcc-rp-initiated-logout")
async def happy(op):
    leaving = await Leaving.begin(op)
    landing = await leaving.whole()
    assert landing.is_at_client, landing.text[:500]
    assert landing.address == leaving.back
    assert landing.parameters == {"state": "st at&e"}
    assert not await leaving.is_signed_in()


@check(LOGOUT, "oidcc-rp-initiated-logout-bad-post-logout-redirect-uri")
async def bad_redirect(op):
    leaving = await Leaving.begin(op)
    await leaving.require_stay(
        await leaving.whole(post_logout_redirect_uri="https://evil.example/bye")
    )
    await leaving.require_stay(await leaving.whole(post_logout_redirect_uri=f"{leaving.back}/more"))


@check(LOGOUT, "oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri")
async def query_added(op):
    leaving = await Leaving.begin(op)
    await leaving.require_stay(
        await leaving.whole(post_logout_redirect_uri=f"{leaving.back}?foo=bar")
    )


@check(LOGOUT, "oidcc-rp-initiated-logout-modified-id-token-hint")
async def modified_hint(op):
    leaving = await Leaving.begin(op)
    head, payload, signature = leaving.id_token.split(".")
    spoilt = f"{head}.{payload}.{signature[:-8]}AAAAAAAA"
    await leaving.require_stay(await leaving.whole(id_token_hint=spoilt))
    leaving = await Leaving.begin(op)
    await leaving.require_stay(await leaving.whole(id_token_hint=unsigned(leaving.claims)))


@check(LOGOUT, "oidcc-rp-initiated-logout-bad-id-token-hint")
async def bad_hint(op):
    leaving = await Leaving.begin(op)
    await leaving.require_stay(await leaving.whole(id_token_hint="bad.id_token.hint"))


@check(LOGOUT, "oidcc-rp-initiated-logout-no-id-token-hint")
async def no_hint(op):
    leaving = await Leaving.begin(op)
    asked = {"post_logout_redirect_uri": leaving.back, "state": "st"}
    await leaving.require_asked(**asked)
    await leaving.require_stay(await leaving.sign_out(**asked))


@check(LOGOUT, "oidcc-rp-initiated-logout-no-params")
async def no_parameters(op):
    leaving = await Leaving.begin(op)
    await leaving.require_asked()
    await leaving.require_stay(await leaving.sign_out())
    assert not await leaving.is_signed_in()


@check(LOGOUT, "oidcc-rp-initiated-logout-only-state")
async def only_state(op):
    leaving = await Leaving.begin(op)
    await leaving.require_asked(state="st")
    await leaving.require_stay(await leaving.sign_out(state="st"))
    assert not await leaving.is_signed_in()


@check(LOGOUT, "oidcc-rp-initiated-logout-no-post-logout-redirect-uri")
async def no_redirect(op):
    leaving = await Leaving.begin(op)
    await leaving.require_stay(await leaving.whole(post_logout_redirect_uri=None))
    assert not await leaving.is_signed_in()


@check(LOGOUT, "oidcc-rp-initiated-logout-no-state")
async def no_state(op):
    leaving = await Leaving.begin(op)
    landing = await leaving.whole(state=None)
    assert landing.is_at_client, landing.text[:500]
    assert landing.address == leaving.back
    assert landing.parameters == {}
    assert not await leaving.is_signed_in()


@check(BACK_CHANNEL, "oidcc-backchannel-logout-discovery-endpoint-verification")
async def back_channel_discovery(op):
    found = await read_metadata(op)
    assert found["backchannel_logout_supported"] is True
    assert found["backchannel_logout_session_supported"] is True
    assert "end_session_endpoint" in found


@check(BACK_CHANNEL, "oidcc-backchannel-rp-initiated-logout")
async def back_channel_logout(op):
    """Section 2.4 to 2.6: one form, one token, which nobody could take for an ID token."""
    leaving = await Leaving.begin(op)
    assert (await leaving.whole()).is_at_client
    head, token = await _heard(op, leaving.claims["sid"])
    assert head.startswith("post /web ")
    assert "content-type: application/x-www-form-urlencoded" in head
    header, claims = await op.read(token)
    assert header["alg"] != "none"
    assert header.get("typ") == "logout+jwt"
    assert claims["iss"] == op.issuer
    assert claims["aud"] in (leaving.party.client_id, [leaving.party.client_id])
    assert abs(claims["iat"] - op.now()) < 30
    assert claims["exp"] > op.now()
    assert claims["jti"]
    assert claims["events"] == {EVENT: {}}
    assert "nonce" not in claims
    assert claims["sub"] == leaving.claims["sub"]


async def _heard(op, sid):
    """The head and the token of the notice of this session: those of other checks come as well."""
    until = time.monotonic() + NOTICE_SECONDS
    while True:
        for head, form in op.logouts:
            fields = parse_qs(form)
            assert list(fields) == ["logout_token"], list(fields)
            if part(fields["logout_token"][0], 1).get("sid") == sid:
                return head, fields["logout_token"][0]
        assert time.monotonic() < until, "nobody told the client of the sign-out"
        await asyncio.sleep(0.05)
