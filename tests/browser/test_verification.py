"""The page behind a letter's QR code, in a real browser: for everybody, without JavaScript."""

import importlib.util
import socket
import sys
import threading
from pathlib import Path

import pytest
import uvicorn
from joserfc.jwk import ECKey
from sebalai_portal.app import portal_app
from sebalai_portal.settings import PortalSettings

PORTAL_TESTS = Path(__file__).parents[2] / "portal/tests"


@pytest.fixture(scope="session")
def stand_in():
    spec = importlib.util.spec_from_file_location(
        "browser_gateway", PORTAL_TESTS / "gateway_stand_in.py"
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules["browser_gateway"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def portal(stand_in, tmp_path):
    """A portal before the gateway's stand-in, with one letter of each kind."""
    gateway = stand_in.Gateway(ECKey.generate_key("P-256", auto_kid=True))
    letters = {
        stand_in.CODE: ({}, stand_in.report()),
        "D" * 20: ({"is_destroyed": True, "content": None}, 410),
        "F" * 20: ({}, stand_in.report(is_intact=False, is_trusted=False)),
        "W" * 20: ({"content": None}, 503),
    }
    for code, (more, report) in letters.items():
        gateway.answers[f"/v1/verifications/{code}"] = stand_in.verification(**more)
        gateway.answers[f"/v1/verifications/{code}/signature"] = report
    stand_in.write_key(gateway.key, tmp_path / "portal.jwk")
    with stand_in.serving(gateway) as url:
        settings = PortalSettings(
            gateway_url=url,
            public_url=stand_in.ISSUER,
            client_id=stand_in.CLIENT_ID,
            client_key_file=tmp_path / "portal.jwk",
        )
        place = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(portal_app(settings), log_config=None))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [place]})
        thread.start()
        yield f"http://127.0.0.1:{place.getsockname()[1]}/verifikasi"
        server.should_exit = True
        thread.join()


async def test_each_answer_is_plain_and_accessible(tab, portal, stand_in, examine):
    for name, code, words in (
        ("verification", stand_in.CODE, "asli dan tidak berubah"),
        ("verification-destroyed", "D" * 20, "sudah dimusnahkan"),
        ("verification-forged", "F" * 20, "tidak sah"),
        ("verification-waiting", "W" * 20, "belum dapat diperiksa sekarang"),
        ("verification-unknown", "U" * 20, "Kode verifikasi ini tidak dikenal"),
    ):
        await tab.go(f"{portal}/{code}")
        assert words in await tab.text()
        assert await tab.run("document.scripts.length") == 0
        await examine(name)


async def test_a_person_compares_a_file_and_reads_english(tab, portal, stand_in):
    await tab.go(f"{portal}/{stand_in.CODE}?lang=en")
    await tab.fill("sha256", stand_in.FILE_DIGEST)
    await tab.press("Compare")
    await tab.until("document.body.innerText.includes('your file is the signed file')", "a match")
