from __future__ import annotations

import importlib.util
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from joserfc.jwk import ECKey
from sebalai_portal.app import portal_app
from sebalai_portal.settings import PortalSettings
from sebalai_shared.testing.clock import FixedClock
from sebalai_shared.testing.http import in_process

# A folder of tests is no package; the stand-in is loaded by its place, under one name for all.
_SPEC = importlib.util.spec_from_file_location(
    "portal_stand_in", Path(__file__).parent / "gateway_stand_in.py"
)
stand_in = importlib.util.module_from_spec(_SPEC)
sys.modules["portal_stand_in"] = stand_in
_SPEC.loader.exec_module(stand_in)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 24, 2, 1, tzinfo=UTC))


@pytest.fixture
def gateway():
    """The gateway's stand-in with one row of everything."""
    made = stand_in.Gateway(ECKey.generate_key("P-256", auto_kid=True))
    made.answers["/v1/agencies"] = [
        stand_in.agency("dinsos-pmd", "Dinas Sosial dan Pemberdayaan Masyarakat Desa"),
        stand_in.agency("dp3acskb", "Dinas Kependudukan & Catatan Sipil", verified=False),
    ]
    made.answers["/v1/services"] = [stand_in.service("Rekomendasi bantuan sosial")]
    made.answers["/v1/calls"] = [stand_in.call(1)]
    made.answers[f"/v1/calls/{stand_in.call(1)['message_id']}"] = stand_in.trace(1)
    letter = f"/v1/verifications/{stand_in.CODE}"
    made.answers[letter] = stand_in.verification()
    made.answers[f"{letter}/signature"] = stand_in.report()
    return made


@pytest.fixture
def gateway_url(gateway):
    with stand_in.serving(gateway) as url:
        yield url


@pytest.fixture
def settings(gateway, gateway_url, tmp_path) -> PortalSettings:
    stand_in.write_key(gateway.key, tmp_path / "portal.jwk")
    return PortalSettings(
        gateway_url=gateway_url,
        public_url=stand_in.ISSUER,
        client_id=stand_in.CLIENT_ID,
        client_key_file=tmp_path / "portal.jwk",
    )


@pytest.fixture
async def visitor(settings, clock):
    """A browser before the portal, which itself calls the stand-in over a socket."""
    app = portal_app(settings, clock)
    async with app.router.lifespan_context(app), in_process(app) as client:
        client.base_url = stand_in.ISSUER  # its cookies are for https alone
        yield client


@pytest.fixture
def enter(visitor, gateway):
    """Signs in, and answers what the browser is told at the end."""

    async def enter(who="usaha", path="/urusan"):
        uri = await stand_in.begin_sign_in(visitor, who, path)
        state = gateway.people.pushed[uri]["state"]
        back = {"code": uri, "state": state, "iss": stand_in.ISSUER}
        return await visitor.get("/masuk/kembali", params=back)

    return enter
