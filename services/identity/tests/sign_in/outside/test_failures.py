"""A provider that is down, slow or boundless: a clear page, and the other ways in go on."""

import asyncio
import json
import time
from dataclasses import replace

import pytest
from fastapi.responses import JSONResponse, RedirectResponse, StreamingResponse
from sebalai_identity.outside_providers.far import CALLS_AT_ONCE, Far
from sebalai_identity.outside_providers.faults import ProviderAway
from sebalai_identity.outside_providers.schema import Provider, ProviderSettings
from sebalai_shared import http
from sebalai_shared.addresses import Reach
from sebalai_shared.ids import uuid7

START = "/sign-in/outside/inapas/start"
DISCOVERY = "/.well-known/openid-configuration"


async def _error():
    return JSONResponse({"error": "server_error"}, 503)


async def _huge():
    async def body():
        for _ in range(160):
            yield b" " * 65_536

    return StreamingResponse(body(), media_type="application/json")


async def _elsewhere():
    return RedirectResponse("http://127.0.0.1:1/", 302)


async def _text():
    return JSONResponse("[" * 50, 200)


async def _late():
    await asyncio.sleep(1)
    return JSONResponse({})


ANSWERS = {"error": _error, "huge": _huge, "elsewhere": _elsewhere, "text": _text, "late": _late}


@pytest.fixture
async def hasty(app, far):
    """What goes out waits a moment only, and looks again at once."""
    outside = app.state.outside
    calls = http.client(Reach.parse(["127.0.0.1"]))
    ticks = iter(range(0, 10**9, 3600))
    app.state.outside = replace(outside, far=Far(calls, lambda: float(next(ticks)), 0.3))
    yield
    await calls.aclose()


async def test_failing_provider_gets_a_page_and_others_come_in(
    enabled, hasty, browser, person, provider, outsider
):
    for path in (DISCOVERY, "/par", "/token", "/jwks"):
        for name, answer in ANSWERS.items():
            provider.bad = {"endpoints": {path: answer}}
            await browser.open("/sign-in")
            made = await browser.send(START)
            if made.status_code == 303:
                back = (await outsider.get(made.headers["location"])).headers["location"]
                made = await browser.open(back.removeprefix("https://bus.example"))
            assert (path, name, made.status_code) == (path, name, 503)
            assert "tidak dapat dihubungi" in browser.shown()
            assert "retry-after" in made.headers
    assert (await browser.sign_in()).headers["location"] == "/my-access"


async def test_answer_without_end_is_not_read_to_its_end(enabled, browser, provider):
    """Good after 10 MB of nothing: whoever reads on would believe it."""
    document = json.dumps(await provider.discovery()).encode()

    async def huge():
        return StreamingResponse(iter([b" " * 65_536] * 160 + [document]))

    provider.bad = {"endpoints": {DISCOVERY: huge}}
    await browser.open("/sign-in")
    assert (await browser.send(START)).status_code == 503


async def test_provider_that_is_down_is_left_alone_for_a_while(enabled, browser, provider):
    provider.bad = {"endpoints": {DISCOVERY: _error}}
    for _ in range(3):
        await browser.open("/sign-in?lang=en")
        assert (await browser.send(START, lang="en")).status_code == 503
        assert "cannot be reached just now" in browser.shown()
    assert provider.seen == [DISCOVERY]


async def test_keys_that_did_not_come_once_are_not_keys_that_are_not_there(
    enabled, browser, provider, come_back, app, far
):
    """The next person is told that the provider is away, and soon comes in again."""
    now = [0.0]
    app.state.outside = replace(app.state.outside, far=Far(far._client, lambda: now[0]))
    provider.bad = {"endpoints": {"/jwks": _error}}
    assert (await come_back(browser)).status_code == 503
    provider.bad = {}
    asked = provider.seen.count("/jwks")
    assert (await come_back(browser)).status_code == 503
    assert provider.seen.count("/jwks") == asked
    now[0] = 10.0
    assert (await come_back(browser)).headers["location"] == "/sign-in/link"


async def test_slow_provider_is_not_waited_for_by_all(provider, described, far):
    """Who comes while CALLS_AT_ONCE wait for it hears at once that it does not answer."""
    gate, settings = asyncio.Event(), described()
    asked = Provider(uuid7(), settings.pop("slug"), ProviderSettings.model_validate(settings))

    async def held():
        await gate.wait()
        return JSONResponse({})

    provider.bad = {"endpoints": {"/token": held}}
    calls = [
        asyncio.create_task(far.send(asked, f"{provider.issuer}/token", {}))
        for _ in range(CALLS_AT_ONCE + 3)
    ]
    await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
    away = [call for call in calls if call.done()]
    assert len(away) == 3
    gate.set()
    with pytest.raises(ProviderAway, match="Too many"):
        await away[0]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert answers.count({}) == CALLS_AT_ONCE


ASTRAY = [
    {"issuer": "https://evil.example"},
    {"authorization_endpoint": "javascript:alert(1)"},
    {"authorization_endpoint": "http://evil.example/authorize"},
    {"token_endpoint": "https://user:secret@provider.example/token"},
    {"jwks_uri": None},
    {"pushed_authorization_request_endpoint": "file:///etc/passwd"},
]


async def test_discovery_that_leads_astray_is_not_followed(enabled, hasty, browser, provider):
    for told in ASTRAY:
        provider.bad = {"discovery": told}
        await browser.open("/sign-in")
        assert (told, (await browser.send(START)).status_code) == (told, 503)
    assert provider.seen == [DISCOVERY] * len(ASTRAY)


async def test_addresses_nobody_named_are_not_called(enabled, browser, provider, app):
    """SSRF: an inner address in discovery, or the provider itself on one."""
    closed = http.client(Reach())
    app.state.outside = replace(app.state.outside, far=Far(closed, time.monotonic))
    await browser.open("/sign-in")
    assert (await browser.send(START)).status_code == 503
    assert provider.seen == []
    await closed.aclose()


async def test_person_who_declines_there_is_told_so_here(
    enabled, browser, provider, come_back, interaction
):
    for error, status in (("access_denied", 403), ("server_error", 503), ("x" * 99, 503)):
        provider.bad = {"answer": {"code": None, "error": error, "error_description": "<b>x</b>"}}
        begun = await interaction()
        assert (error, (await come_back(browser, begun)).status_code) == (error, status)
        assert f"/sign-in?interaction={begun}" in browser.page.text
        assert "<b>x</b>" not in browser.page.text
        assert browser.session is None


async def test_missing_key_of_ours_stops_nobody_else(enabled, browser, person, tmp_path):
    (tmp_path / "keys/inapas.jwk").unlink()
    await browser.open("/sign-in")
    assert (await browser.send(START)).status_code == 503
    assert (await browser.sign_in()).status_code == 303
