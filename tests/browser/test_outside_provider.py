"""A person comes from an outside provider (a stand-in), links it, and signs in by it."""

import asyncio
import importlib.util
import json
import socket
import time
from pathlib import Path

import pytest
import uvicorn
from joserfc.jwk import ECKey
from sebalai_identity.desk import Desk
from sebalai_identity.outside_providers import actions
from sebalai_identity.outside_providers.schema import ProviderAsk
from sebalai_shared.caller import OPERATE, Caller
from sebalai_shared.clock import SystemClock
from sebalai_shared.database import Database

STAND_IN = Path(__file__).parents[1] / "systems/outside_provider/app.py"
LOGIN, PASSWORD = "siti.rahma", "tepung garam jembatan biru"
ASKER, APPROVER = (Caller("system", name, scopes=frozenset({OPERATE})) for name in ("a", "b"))


@pytest.fixture
async def provider(settings, client_id):
    """Listening on loopback, enabled by two for this test, disabled after it."""
    spec = importlib.util.spec_from_file_location("stand_in_outside_provider", STAND_IN)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    own = ECKey.generate_key("P-521")
    (settings.outside_keys_dir / "inapas.jwk").write_text(json.dumps(own.as_dict(private=True)))
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    made = module.OutsideProvider(url, "sebalai-babel", own.as_dict(private=False), time.time)
    server = uvicorn.Server(uvicorn.Config(made.app, log_level="error", lifespan="off"))
    running = asyncio.create_task(server.serve(sockets=[listener]))
    database = Database(settings)
    enabled = await _enable(database, settings, url)
    yield made
    async with database.transaction() as session:
        desk = Desk(ASKER, SystemClock())
        await actions.disable_provider(session, desk, provider_id=enabled, reason="selesai")
    await database.close()
    server.should_exit = True
    await running


async def _enable(database, settings, url):
    wanted = ProviderAsk.model_validate(
        {
            "slug": "inapas",
            "issuer": url,
            "client_id": "sebalai-babel",
            "key_file": "inapas.jwk",
            "acr_levels": {"loa2": 2},
            "label": {"id": "INApas (tiruan)", "en": "INApas (stand-in)"},
        }
    )
    keys = actions.KeyFolder(settings.outside_keys_dir)
    async with database.transaction() as session:
        asker, approver = (Desk(caller, SystemClock()) for caller in (ASKER, APPROVER))
        row = await actions.ask_provider(session, asker, keys=keys, wanted=wanted)
        await actions.decide_provider(
            session, approver, provider_id=row.id, is_approved=True, reason="uji coba"
        )
        return row.id


async def _prove_again(tab, examine):
    await examine("link-again")
    await tab.press("Buktikan sekali lagi")
    await tab.until("document.body.innerText.includes('sama-sama milik Anda')", "the confirmation")


async def test_first_visit_links_and_the_next_signs_in_without_scripts(
    tab, identity, provider, examine
):
    await tab.send("Network.setExtraHTTPHeaders", headers={"Accept-Language": "id"})
    await tab.go(f"{identity}/sign-in")
    await examine("sign-in-outside")
    await tab.press("Masuk dengan INApas (tiruan)")
    await tab.arrives("/sign-in/link")
    await examine("link-unknown")
    await tab.press("Masuk untuk menautkan")
    await tab.arrives("/sign-in")
    await tab.fill("login", LOGIN)
    await tab.fill("password", PASSWORD)
    await tab.press("Masuk")
    await tab.arrives("/sign-in/link")
    assert f"ke akun {LOGIN}" in await tab.text()
    await _prove_again(tab, examine)
    await examine("link-confirm")
    await tab.press("Tautkan")
    await tab.arrives("/my-access")
    await examine("my-access-linked")
    await tab.go(f"{identity}/sign-out")
    await tab.press("Keluar")
    await tab.until("document.body.innerText.includes('Anda sudah keluar')", "signed out")

    await tab.send("Emulation.setScriptExecutionDisabled", value=True)
    await tab.go(f"{identity}/sign-in?lang=en")
    await tab.press("Sign in with INApas (stand-in)")
    await tab.arrives("/my-access")
    assert "2 of 3" in await tab.text()
    assert tab.complaints() == []
    await tab.press("Unlink")
    await tab.until("!document.body.innerText.includes('Unlink')", "unlinked")
    await tab.go(f"{identity}/sign-out?lang=en")
    await tab.press("Sign out")
    await tab.until("document.body.innerText.includes('You have signed out')", "signed out")

    provider.person = {"sub": "outside-2"}
    provider.bad = {"answer": {"iss": "https://evil.example"}}
    await tab.send("Emulation.setScriptExecutionDisabled", value=False)
    await tab.go(f"{identity}/sign-in?lang=en")
    await tab.press("Sign in with INApas (stand-in)")
    await tab.until("document.querySelector('[role=alert]')", "the refusal")
    await examine("outside-refused")
