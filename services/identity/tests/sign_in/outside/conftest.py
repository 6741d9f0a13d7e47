"""A stand-in provider on loopback, identity in process, and a browser that goes between the two."""

import asyncio
import importlib.util
import json
import socket
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
import uvicorn
from joserfc.jwk import ECKey
from sebalai_identity.app import identity_app
from sebalai_identity.credentials.keeper import Keeper
from sebalai_identity.sessions import actions as sessions
from sebalai_identity.web.pages import Pages
from sebalai_shared import http
from sebalai_shared.addresses import Reach
from sebalai_shared.caller import Caller
from sebalai_shared.testing.http import in_process
from sqlalchemy import text

STAND_IN = Path(__file__).parents[5] / "tests/systems/outside_provider/app.py"
CLIENT_ID = "sebalai-babel"
ASKER, APPROVER = (
    Caller(kind="civil_servant", subject=name, scopes=frozenset({"identity.clients"}))
    for name in ("asker", "approver")
)


@pytest.fixture(scope="session")
def stand_in():
    spec = importlib.util.spec_from_file_location("stand_in_outside_provider", STAND_IN)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
async def place():
    """A listening port of loopback whose application each test sets: starting takes its time."""
    place = SimpleNamespace(app=None)

    async def answer(scope, receive, send):
        await place.app(scope, receive, send)

    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(answer, log_level="error", lifespan="off"))
    running = asyncio.create_task(server.serve(sockets=[listener]))
    place.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    yield place
    server.should_exit = True
    await running


@pytest.fixture(scope="session")
def own_key():
    return ECKey.generate_key("P-521")


@pytest.fixture(scope="session")
def templates():
    """Compiled once for all tests, as for all requests of a process."""
    return Pages()


@pytest.fixture
def app(settings, database, clock, workers, tmp_path, own_key, templates):  # noqa: PLR0917 - fixtures
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys/inapas.jwk").write_text(json.dumps(own_key.as_dict(private=True)))
    changes = {"outside_keys_dir": tmp_path / "keys", "private_outside_providers": "127.0.0.1"}
    app = identity_app(settings.model_copy(update=changes), database, clock)
    given = app.state.keeper
    app.state.pages = templates
    app.state.keeper = Keeper(database, clock, workers, given.sealed_by, given.breached)
    return app


@pytest.fixture
async def far(app):
    """What goes out from us; closed with the test."""
    yield app.state.outside.far
    await app.state.outside.far.aclose()


@pytest.fixture
def provider(stand_in, place, own_key, clock, far):
    made = stand_in.OutsideProvider(
        place.url, CLIENT_ID, own_key.as_dict(private=False), lambda: clock.now().timestamp()
    )
    place.app = made.app
    return made


@pytest.fixture
def described(place):
    def described(**more):
        return {
            "slug": "inapas",
            "issuer": place.url,
            "client_id": CLIENT_ID,
            "key_file": "inapas.jwk",
            "scopes": ["openid", "nik"],
            "acr_levels": {"loa2": 2, "loa3": 3},
            "nik_claim": "nik",
            "label": {"id": "INApas (tiruan)", "en": "INApas (stand-in)"},
        } | more

    return described


@pytest.fixture
def admin(app, asserter):
    """`await admin(caller, path, body)`: by the interface of keepers."""
    numbers = iter(range(1000))

    async def admin(caller, path="", body=None):
        headers = asserter.headers(caller, "identity")
        headers["Idempotency-Key"] = f"outside-{next(numbers)}"
        client = in_process(app)
        if body is None:
            return await client.get(f"/v1/outside-providers{path}", headers=headers)
        return await client.post(f"/v1/outside-providers{path}", headers=headers, json=body)

    return admin


@pytest.fixture
async def enabled(enable, provider):
    """The stand-in, enabled by two."""
    return await enable()


@pytest.fixture
async def outsider():
    """The browser's side towards the provider."""
    client = http.client(Reach.parse(["127.0.0.1"]))
    yield client
    await client.aclose()


@pytest.fixture
def to_provider(outsider):
    """`await to_provider(browser)`: by the button there, and the address it is sent back to."""

    async def to_provider(browser, path="/sign-in/outside/inapas/start", **fields):
        sent = await browser.send(path, **fields)
        assert sent.status_code == 303, sent.text
        answer = await outsider.get(sent.headers["location"])
        assert answer.status_code == 303, answer.text
        parts = urlsplit(answer.headers["location"])
        assert f"{parts.scheme}://{parts.netloc}" == "https://bus.example"
        return f"{parts.path}?{parts.query}"

    return to_provider


@pytest.fixture
def come_back(to_provider):
    """There and back from the sign-in page."""

    async def come_back(browser, interaction=None):
        await browser.open("/sign-in" + (f"?interaction={interaction}" if interaction else ""))
        return await browser.open(await to_provider(browser, interaction=interaction))

    return come_back


@pytest.fixture
async def linked(enabled, browser, person, to_provider):
    """Siti has linked her identity on her own page, and is signed out again; whose it is."""
    await browser.sign_in()
    await browser.open("/my-access")
    path = await to_provider(browser, "/my-access/outside/inapas/link")
    assert (await browser.open(path)).headers["location"] == "/sign-in/link"
    await browser.open("/sign-in/link")
    answer = await browser.send("/sign-in/link")
    assert answer.headers["location"] == "/my-access", answer.text
    await browser.open("/sign-out")
    await browser.send("/sign-out")
    browser.client.cookies.clear()
    return person


@pytest.fixture
def enable(admin, described):
    """`await enable(slug=…)`: another provider, by two."""

    async def enable(**more):
        asked = await admin(ASKER, "", described(**more))
        assert asked.status_code == 201, asked.text
        path = f"/{asked.json()['id']}/decide"
        done = await admin(APPROVER, path, {"decision": "approve", "reason": "sesuai PKS"})
        assert done.status_code == 200, done.text
        return done.json()

    return enable


@pytest.fixture
def identities(keeper):
    """`await identities()`: all that are linked."""

    async def identities():
        async with keeper.database.transaction() as session:
            query = text("SELECT id, issuer, person_id FROM outside_identity ORDER BY id")
            return list((await session.execute(query)).all())

    return identities


@pytest.fixture
def current(keeper):
    """`await current(browser)`: the session it is in."""

    async def current(browser):
        async with keeper.database.transaction() as session:
            return await sessions.current(session, keeper.clock, cookie=browser.session)

    return current
