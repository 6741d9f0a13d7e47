"""What a stranger at the browser, or beside the provider, cannot do."""

import json
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode

from joserfc import jws
from joserfc.jwk import ECKey, OctKey

NOBODY = "__Host-sebalai-session"
PROOF = "__Host-sebalai-outside"
START = "/sign-in/outside/inapas/start"


def opened_nothing(browser):
    return browser.client.cookies.get(NOBODY) is None and browser.client.cookies.get(PROOF) is None


def _tokens(provider, stand_in, now):
    """Each way to bend the ID token, by what it is."""
    thief, small = ECKey.generate_key("P-521"), ECKey.generate_key("P-256")
    kid = provider.key.thumbprint()
    secret = OctKey.import_key(json.dumps(provider.key.as_dict(private=False)))
    theirs = thief.as_dict(private=False)
    return {
        "alg none": {"header": {"alg": "none"}},
        "alg HS256 by the public key": {"header": {"alg": "HS256"}, "key": secret},
        "alg ES256": {"header": {"alg": "ES256"}, "key": small},
        "another's signature": {"key": thief},
        "another's key by kid": {"key": thief, "header": {"kid": thief.thumbprint()}},
        "jwk": {"key": thief, "header": {"kid": kid, "jwk": theirs}},
        "jku": {"key": thief, "header": {"jku": "https://evil.example/jwks"}},
        "x5u": {"key": thief, "header": {"x5u": "https://evil.example/cert"}},
        "crit": {"header": {"crit": ["b64"], "b64": True}},
        "typ": {"header": {"typ": "at+jwt"}},
        "iss": {"claims": {"iss": "https://evil.example"}},
        "aud": {"claims": {"aud": "another-client"}},
        "aud beside ours": {"claims": {"aud": ["sebalai-babel", "another-client"]}},
        "azp": {"claims": {"azp": "another-client"}},
        "nonce": {"claims": {"nonce": "of another sign-in"}},
        "no nonce": {"claims": {"nonce": None}},
        "nonce that no text spells": {"claims": {"nonce": "\ud800"}},
        "expired": {"claims": {"exp": now - 61}},
        "no exp": {"claims": {"exp": None}},
        "future iat": {"claims": {"iat": now + 61}},
        "old iat": {"claims": {"iat": now - 601}},
        "future nbf": {"claims": {"nbf": now + 61}},
        "no auth_time": {"claims": {"auth_time": None}},
        "old auth_time": {"claims": {"auth_time": now - 3600 - 601}},
        "no sub": {"claims": {"sub": None}},
        "sub as a number": {"claims": {"sub": 1}},
        "exp as true": {"claims": {"exp": True}},
        "no token": {"id_token": "x"},
    }


async def test_bent_id_tokens_open_nothing(enabled, browser, provider, stand_in, clock, come_back):
    cases = _tokens(provider, stand_in, int(clock.now().timestamp()))
    for name, bent in cases.items():
        provider.bad = bent
        answer = await come_back(browser)
        assert (name, answer.status_code) == (name, 400)
        assert opened_nothing(browser), name
    assert "tidak dapat dipercaya" in browser.shown()
    provider.bad = {}
    assert (await come_back(browser)).headers["location"] == "/sign-in/link"


async def test_members_written_twice_are_refused(enabled, browser, provider, stand_in, come_back):
    made = provider.id_token
    provider.id_token = lambda asked: _twice(stand_in, provider, made(asked))
    assert (await come_back(browser)).status_code == 400
    assert opened_nothing(browser)


def _twice(stand_in, provider, compact):
    payload = jws.extract_compact(compact.encode()).payload.decode()
    doubled = '{"sub": "outside-2", ' + payload.removeprefix("{")
    header = {"alg": "ES512", "kid": provider.key.thumbprint()}
    return jws.serialize_compact(header, doubled.encode(), provider.key, algorithms=["ES512"])


async def test_answer_of_another_issuer_is_not_believed(enabled, browser, provider, come_back):
    for issuer in ("https://evil.example", "", None):
        provider.bad = {"answer": {"iss": issuer}}
        assert (issuer, (await come_back(browser)).status_code) == (issuer, 400)
        assert opened_nothing(browser)
    assert "/token" not in provider.seen  # the code went nowhere


async def test_answer_is_good_once_and_in_its_own_browser_alone(
    enabled, browser, another, to_provider
):
    await browser.open("/sign-in")
    path = await to_provider(browser)
    stranger = another()
    await stranger.open("/sign-in")
    assert (await stranger.open(path)).status_code == 404
    assert opened_nothing(stranger)
    assert (await browser.open(path)).headers["location"] == "/sign-in/link"
    again = await browser.open(path)
    assert (again.status_code, "location" in again.headers) == (404, False)


async def test_attacker_cannot_plant_his_own_identity(enabled, browser, another, to_provider):
    """CSRF on the way back: his code and state, sent by the victim's browser."""
    attacker = another()
    await attacker.open("/sign-in")
    path = await to_provider(attacker)
    await browser.open("/sign-in")
    assert (await browser.open(path)).status_code == 404
    assert opened_nothing(browser)


async def test_code_of_an_earlier_sign_in_is_refused(enabled, browser, to_provider):
    await browser.open("/sign-in")
    old = dict(parse_qsl((await to_provider(browser)).split("?")[1]))
    await browser.open(f"/sign-in/outside/inapas/back?{urlencode(old)}")
    browser.client.cookies.clear()
    await browser.open("/sign-in")
    new = dict(parse_qsl((await to_provider(browser)).split("?")[1]))
    path = f"/sign-in/outside/inapas/back?{urlencode(new | {'code': old['code']})}"
    assert (await browser.open(path)).status_code == 400
    assert opened_nothing(browser)


async def test_malformed_answers_are_refused(enabled, browser, provider, to_provider):
    await browser.open("/sign-in")
    path = await to_provider(browser)
    more = (f"{path}&error=access_denied", f"{path}&code=second", f"{path}&scope={'x' * 2049}")
    for bent in (path.replace("code=", "kode="), *more):
        assert (await browser.open(bent)).status_code == 400
        assert opened_nothing(browser)
    assert "/token" not in provider.seen


async def test_answer_of_one_provider_does_not_pass_as_anothers(
    enabled, browser, enable, to_provider
):
    await enable(slug="lain", issuer="https://lain.example")
    await browser.open("/sign-in")
    path = await to_provider(browser)
    assert (await browser.open(path.replace("inapas", "lain"))).status_code == 404
    assert opened_nothing(browser)


async def test_old_answer_is_refused(enabled, browser, clock, to_provider):
    await browser.open("/sign-in")
    path = await to_provider(browser)
    clock.move(timedelta(minutes=10))
    assert (await browser.open(path)).status_code == 404


FORMS = [
    START,
    "/sign-in/link",
    "/sign-in/link/cancel",
    "/my-access/outside/inapas/link",
    "/my-access/outside/unlink",
]


async def test_forms_of_others_begin_and_change_nothing(linked, browser, provider, identities):
    held, seen = await identities(), list(provider.seen)
    await browser.sign_in()
    await browser.open("/my-access")
    for path in FORMS:
        fields = {"identity": str(held[0].id)}
        await browser.open("/my-access")
        csrf = browser.csrf()
        for bad in ({"csrf": "x" * 43}, {"csrf": None}, {"headers": {"Origin": "https://evil"}}):
            bad = {"csrf": csrf} | bad  # noqa: PLW2901 - the good one, but for what is bad
            assert (path, (await browser.send(path, **bad, **fields)).status_code) == (path, 403)
        assert (await browser.open(path)).status_code in (303, 404, 405)
    assert (await identities(), provider.seen) == (held, seen)


async def test_no_parameter_leads_elsewhere(enabled, browser, place, to_provider):
    for where in ("https://evil.example", "//evil.example", "javascript:alert(1)"):
        await browser.open("/sign-in")
        assert (await browser.send(START, interaction=where)).status_code == 404
        fields = dict.fromkeys(("next", "redirect_uri", "issuer"), where)
        await browser.open("/sign-in")
        sent = await browser.send(START, **fields)
        assert sent.headers["location"].startswith(f"{place.url}/authorize?")
        await browser.open("/sign-in")
        path = f"{await to_provider(browser)}&next={where}"
        assert (await browser.open(path)).headers["location"] == "/sign-in/link"
        answer = await browser.open(f"/sign-in/link?interaction={where}&next={where}")
        assert (answer.status_code, f'href="{where}' in answer.text) == (200, False)


async def test_session_known_before_opens_nothing_afterwards(
    linked, browser, to_provider, person_named, current
):
    """Fixation: whoever planted the cookies is not in the session that follows."""
    await person_named("Budi", "budi")
    await browser.sign_in("budi")
    planted, before = browser.session, browser.client.cookies["__Host-sebalai-browser"]
    await browser.open("/sign-in?again=1")
    await browser.open(await to_provider(browser))
    assert (await current(browser)).subject == linked
    assert browser.session != planted
    assert browser.client.cookies["__Host-sebalai-browser"] != before
    browser.client.cookies.clear()
    browser.client.cookies.set(NOBODY, planted, domain="bus.example")
    assert await current(browser) is None


async def test_made_up_kids_become_no_calls(enabled, browser, provider, come_back):
    for number in range(3):
        provider.bad = {"header": {"kid": f"made-up-{number}"}}
        assert (await come_back(browser)).status_code == 400
    assert provider.seen.count("/jwks") == 1


async def test_tries_are_counted_by_network(enabled, browser):
    await browser.open("/sign-in")
    csrf = browser.csrf()
    for _ in range(30):
        assert (await browser.send(START, csrf=csrf)).status_code == 303
    refused = await browser.send(START, csrf=csrf)
    assert (refused.status_code, "retry-after" in refused.headers) == (429, True)
