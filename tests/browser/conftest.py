"""A real Chromium before a real identity process, on a database of its own."""

import asyncio
import base64
import importlib.util
import os
import secrets
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from shutil import rmtree, which

import pytest
import sebalai_identity
from sebalai_identity.applications.actions import Authority, register_application
from sebalai_identity.applications.schema import ApplicationRegister
from sebalai_identity.businesses.actions import record_representation, register_business
from sebalai_identity.businesses.schema import BusinessRegister, RepresentationRecord
from sebalai_identity.commands import load_reference
from sebalai_identity.desk import OPERATOR, Desk
from sebalai_identity.inviting import invite, read
from sebalai_identity.keys.sealing import Sealer
from sebalai_identity.reference import ReferenceFolder
from sebalai_identity.settings import IdentitySettings
from sebalai_identity.signing_in import keeper_of
from sebalai_identity.vault import NumberVault
from sebalai_shared.clock import SystemClock
from sebalai_shared.database import Database
from sebalai_shared.testing.database import fresh_database

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
REFERENCE = ROOT / "deploy/reference"
PASSWORD = "tepung garam jembatan biru"
LOGIN = "siti.rahma"
BUSINESS, NIB = "PT Contoh Timah Sejahtera", "8120001234567"
START_SECONDS = 60


def _beside(name):
    spec = importlib.util.spec_from_file_location(f"browser_{name}", HERE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


Tab = _beside("cdp").Tab


@pytest.fixture(scope="session")
def axe():
    """The accessibility engine, installed from the lock file when it is not there yet."""
    script = HERE / "node_modules/axe-core/axe.min.js"
    if not script.exists():
        subprocess.run(["npm", "ci", "--silent"], cwd=HERE, check=True, timeout=120)
    return script.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
async def chromium():
    """The address of a headless Chromium's control socket."""
    program = which("chromium") or which("google-chrome")
    assert program, "these tests need chromium (Debian: apt install chromium)"
    folder = Path(tempfile.mkdtemp(prefix="sebalai-chromium-"))
    arguments = [
        "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0",
        "--disable-background-networking", "--disable-component-update", "--no-first-run",
        f"--user-data-dir={folder}", "about:blank",
    ]  # fmt: skip
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, *arguments], stdout=log, stderr=log)
    try:
        found = folder / "DevToolsActivePort"
        async with asyncio.timeout(START_SECONDS):
            while not found.exists() or len(found.read_text().split()) < 2:
                assert process.poll() is None, (folder / "log").read_text()
                await asyncio.sleep(0.1)
        port, path = found.read_text().split()
        yield f"ws://127.0.0.1:{port}{path}"
    finally:
        process.terminate()
        process.wait(START_SECONDS)
        rmtree(folder, ignore_errors=True)


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
async def settings(postgres_admin_url, tmp_path_factory):
    package = Path(sebalai_identity.__file__).parent
    url = await fresh_database(postgres_admin_url, "browser_tests", package)
    sealing = tmp_path_factory.mktemp("browser") / "sealing.key"
    sealing.write_text(base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("="))
    port = _free_port()
    return IdentitySettings(
        database_url=url,
        host="127.0.0.1",
        port=port,
        # A passkey belongs to a name, never to a bare IP address.
        public_url=f"http://localhost:{port}",
        sealing_key_file=sealing,
        reference_dir=REFERENCE,
        pool_connections=5,
        outside_keys_dir=sealing.parent,
        private_outside_providers="127.0.0.1",
    )


@pytest.fixture(scope="session")
async def back():
    """Where the application gets its people back. Like many it sends them on to another host of its
    own, whose one page says what came.
    """

    async def answer(reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        path, host = head.split(" ")[1], head.lower().split("\r\nhost: ")[1].split("\r\n")[0]
        body = f"<!doctype html><html lang=en><title>back</title><p>{'code=' in path}</p>"
        status = "200 OK"
        if host.startswith("127.0.0.1"):
            status = f"303 See Other\r\nLocation: http://localhost:{host.split(':')[1]}{path}"
        writer.write(
            f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\nConnection: close\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "localhost", _free_port())
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/back"
    server.close()


@pytest.fixture(scope="session")
def landed(back):
    """Where they are in the end."""
    return back.replace("127.0.0.1", "localhost")


@pytest.fixture(scope="session")
async def loaded(settings, back):
    """An application of an agency, outside our own, that must ask for consent; and a person, who
    represents a business.
    """
    database = Database(settings)
    clock = SystemClock()
    keeper = keeper_of(settings, Sealer.from_file(settings.sealing_key_file), database, clock)
    password = settings.sealing_key_file.with_name("password")
    password.write_text(PASSWORD)
    arguments = ["--name", "Siti Rahma", "--login", LOGIN, "--password-file", str(password)]
    wanted = ApplicationRegister.model_validate(
        {
            "agency": "dpmptsp",
            "name": "perizinan",
            "scopes": ["bus.call", "openid", "profile", "offline_access", "business"],
            "client": {"kind": "public", "redirect_uris": [back]},
        }
    )
    authority = Authority(OPERATOR, clock, settings.instance)
    async with database.transaction() as session:
        await load_reference(session, ReferenceFolder(REFERENCE))
        made = await register_application(session, authority, wanted=wanted)
        person = await invite(session, settings, keeper, read(arguments))
        desk = Desk(OPERATOR, clock, NumberVault.from_file(settings.sealing_key_file))
        wanted = BusinessRegister.model_validate({"name": BUSINESS, "nib": NIB})
        business = await register_business(session, desk, wanted=wanted)
        deed = {
            "person_id": person["person_id"], "capacity": "director", "document": "Akta 1/2020",
            "valid_from": clock.now(), "matters": ["izin-usaha"],
        }  # fmt: skip
        await record_representation(
            session, desk, business_id=business.id, wanted=RepresentationRecord.model_validate(deed)
        )
    keeper.workers.close()
    await database.close()
    return made.client_id


@pytest.fixture(scope="session")
def client_id(loaded):
    return str(loaded)


@pytest.fixture(scope="session")
async def identity(settings, client_id):
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SEBALAI_")},
        "SEBALAI_DATABASE_URL": settings.database_url,
        "SEBALAI_PORT": str(settings.port),
        "SEBALAI_PUBLIC_URL": settings.public_url,
        "SEBALAI_SEALING_KEY_FILE": str(settings.sealing_key_file),
        "SEBALAI_REFERENCE_DIR": str(REFERENCE),
        "SEBALAI_OUTSIDE_KEYS_DIR": str(settings.outside_keys_dir),
        "SEBALAI_PRIVATE_OUTSIDE_PROVIDERS": settings.private_outside_providers,
    }
    log = settings.sealing_key_file.with_name("identity.log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "sebalai_identity", "api"],
            env=environment, cwd=ROOT, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        async with asyncio.timeout(START_SECONDS):
            while True:
                assert process.poll() is None, log.read_text()
                with suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", settings.port)
                    writer.close()
                    break
                await asyncio.sleep(0.1)
        yield settings.public_url
    finally:
        process.terminate()
        process.wait(START_SECONDS)


@pytest.fixture
async def tab(chromium):
    tab = await Tab.open(chromium)
    yield tab
    await tab.close()


@pytest.fixture
def examine(tab, axe, tmp_path):
    """Runs axe with the rules of WCAG 2.2 AA in both colour schemes, and at 320 pixels' width."""
    folder = Path(os.environ.get("SEBALAI_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

    async def examine(name):
        for scheme in ("light", "dark"):
            await tab.scheme(scheme)
            await tab.size(320)
            assert await tab.run("document.documentElement.scrollWidth <= 320"), name
            await tab.size(900)
            await tab.run(axe + ";true")
            found = await tab.run(
                f"axe.run({{runOnly: {tags}}}).then((r) => r.violations.map((v) =>"
                " v.id + ': ' + v.nodes.map((n) => n.html).join(' | ')))"
            )
            assert found == [], (name, scheme)
            await tab.picture(folder / f"{name}-{scheme}.png")

    return examine
