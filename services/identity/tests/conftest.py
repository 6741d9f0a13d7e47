"""Identity in process on a real database whose changes are rolled back after each test."""

import base64
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest
import sebalai_identity
from joserfc import jwt
from joserfc.jwk import ECKey
from sebalai_identity.app import identity_app
from sebalai_identity.commands import load_reference
from sebalai_identity.reference import ReferenceFolder
from sebalai_identity.settings import IdentitySettings
from sebalai_shared.caller import Caller
from sebalai_shared.database import Database
from sebalai_shared.ids import uuid7
from sebalai_shared.testing.clock import FixedClock
from sebalai_shared.testing.database import RolledBack, fresh_database
from sebalai_shared.testing.http import Asserter, in_process, system
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

PACKAGE = Path(sebalai_identity.__file__).parent
REFERENCE = Path(__file__).parents[3] / "deploy/reference"
NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
ISSUER = "https://bus.example"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@pytest.fixture(scope="session")
async def identity_url(postgres_admin_url):
    return await fresh_database(postgres_admin_url, "identity_tests", PACKAGE)


@pytest.fixture(scope="session")
async def reference_loaded(postgres_admin_url):
    """A second database with the reference committed, and the counts: loading takes a second."""
    url = await fresh_database(postgres_admin_url, "identity_reference_tests", PACKAGE)
    engine = create_async_engine(url.replace("postgresql:", "postgresql+asyncpg:", 1))
    async with AsyncSession(engine) as session, session.begin():
        counts = await load_reference(session, ReferenceFolder(REFERENCE))
    await engine.dispose()
    return url, counts


@pytest.fixture
def clock():
    return FixedClock(NOW)


@pytest.fixture
def folder():
    return ReferenceFolder(REFERENCE)


@pytest.fixture
def asserter(clock):
    return Asserter(clock)


@pytest.fixture
def settings(request, identity_url, tmp_path, asserter, nats_url, nats_token):
    """Of the empty database; of the one with the reference for who asks for `loaded`."""
    if "loaded" in request.fixturenames:
        identity_url, _ = request.getfixturevalue("reference_loaded")
    sealing = tmp_path / "sealing.key"
    sealing.write_text(base64.urlsafe_b64encode(b"s" * 32).decode().rstrip("="), encoding="ascii")
    return IdentitySettings(
        database_url=identity_url,
        nats_url=nats_url,
        nats_token=nats_token,
        public_url=ISSUER,
        caller_keys_file=asserter.write_keys(tmp_path / "callers.json"),
        sealing_key_file=sealing,
        reference_dir=REFERENCE,
        pool_connections=5,
    )


@pytest.fixture
async def database(settings):
    async with RolledBack(settings).begin() as database:
        yield database


@pytest.fixture
async def committed(request, settings):
    """A database that keeps what it is told; the test empties what it used."""
    assert "loaded" not in request.fixturenames, "the reference is shared and must stay"
    database = Database(settings)
    yield database
    await database.close()


@pytest.fixture
def loaded(reference_loaded):
    """What loading the reference did; the test's database holds it."""
    _, counts = reference_loaded
    return counts


class Calls:
    """Calls the application as whoever is named; each call gets its own idempotency key."""

    def __init__(self, app, asserter):
        self.app, self.client = app, in_process(app)
        self._asserter, self._number = asserter, 0

    async def __call__(self, method, path, caller=None, **more):
        headers = dict(more.pop("headers", {}))
        if caller is not None:
            headers |= self._asserter.headers(caller, "identity")
        if method == "POST":
            self._number += 1
            headers.setdefault("Idempotency-Key", f"key-{self._number}")
        return await self.client.request(method, path, headers=headers, **more)


@pytest.fixture
async def call(settings, database, clock, asserter):
    return Calls(identity_app(settings, database, clock), asserter)


@pytest.fixture
def operator():
    return system("ID-BB/GOV/diskominfo/operator", "bus.call", "platform.operate")


@pytest.fixture
def keeper():
    """The province's personnel agency: the keeper of people and posts."""
    return system("ID-BB/GOV/bkpsdmd/simpeg", "bus.call", "identity.people")


@pytest.fixture
def own():
    return system("ID-BB/GOV/dinsos-pmd/bansos")


@pytest.fixture
def stranger():
    return system("ID-BB/GOV/dinkes/puskesmas")


@pytest.fixture
def gateway():
    return Caller(kind="gateway", subject="gateway")


@pytest.fixture
def key():
    return ECKey.generate_key("P-256")


@pytest.fixture
def wanted(key):
    def wanted(**more):
        public = more.pop("public_key", key.as_dict(private=False))
        return {"agency": "dinsos-pmd", "name": "bansos", "public_key": public} | more

    return wanted


@pytest.fixture
async def registered(call, loaded, operator, wanted):
    body = wanted(scopes=["bus.call", "exchange.manage"])
    answer = await call("POST", "/v1/applications", operator, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


class TokenClient:
    """An application's own side of the token endpoint."""

    def __init__(self, call, client_id, key, clock):
        self._call, self.client_id, self.key, self._clock = call, client_id, key, clock

    def claims(self, **more):
        now = int(self._clock.now().timestamp())
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": ISSUER,
            "jti": str(uuid7()),
            "iat": now,
            "exp": now + 60,
        } | more
        return {name: value for name, value in claims.items() if value is not None}

    def assertion(self, header=None, key=None, **claims):
        head = {"alg": "ES256", "typ": "JWT"} | (header or {})
        return jwt.encode(head, self.claims(**claims), key or self.key)

    def form(self, proof=None, **more):
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": proof or self.assertion(),
        } | more
        return {name: value for name, value in form.items() if value is not None}

    async def send(self, form):
        body = form if isinstance(form, str) else urlencode(form)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return await self._call("POST", "/oauth/token", content=body, headers=headers)


@pytest.fixture
def client(call, registered, key, clock):
    return TokenClient(call, registered["client_id"], key, clock)


@pytest.fixture
def facts(database):
    """`await facts("identity.person.")`: (type, data) of what was published, in order."""

    async def facts(prefix="identity."):
        query = text(
            "SELECT type, document->'data' AS data FROM outbox WHERE starts_with(type, :p) ORDER BY seq"
        )
        async with database.transaction() as session:
            return [(row.type, row.data) for row in await session.execute(query, {"p": prefix})]

    return facts


@pytest.fixture
def person(call, keeper):
    """`await person(nik=...)`: registers somebody."""

    async def person(**more):
        body = {"name": "Siti Contoh", "nik": "1971014101909902"} | more
        body = {name: value for name, value in body.items() if value is not None}
        answer = await call("POST", "/v1/persons", keeper, json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    return person


@pytest.fixture
def made(call, keeper):
    """`await made("/v1/positions", {...})`: creates by HTTP as the keeper of people."""

    async def made(path, body, caller=keeper):
        answer = await call("POST", path, caller, json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    return made


@pytest.fixture
def servant(person, made, loaded):
    """`await servant("Budi", 1)`: a person and civil servant; numbers are made from `number`."""

    async def servant(name="Budi Contoh", number=1, agency="diskominfo"):
        found = await person(name=name, nik=f"197101150385{9000 + number}")
        body = {
            "person_id": found["id"],
            "nip": f"198503152010011{number:03}",
            "agency": agency,
            "grade": "III/d",
            "valid_from": "2010-01-01T00:00:00+07:00",
        }
        await made("/v1/civil-servants", body)
        return found

    return servant


@pytest.fixture
def position(made, loaded):
    async def position(code="kadis", agency="diskominfo", **more):
        body = {
            "agency": agency,
            "code": code,
            "title": f"Jabatan {code}",
            "kind": "jpt_pratama",
            "eselon": "II.a",
            "decree": "Pergub 62/2016",
            "valid_from": "2016-01-01T00:00:00+07:00",
        }
        return await made("/v1/positions", body | more)

    return position


@pytest.fixture
def posting(made):
    """`await posting(person, position, kind, start, end)`: times are ISO texts."""

    async def posting(person, position, kind="definitive", start="2026-01-01T00:00:00Z", end=None):
        body = {
            "person_id": person["id"],
            "position_id": position["id"],
            "kind": kind,
            "decree": "821/12/BKPSDMD/2026",
            "valid_from": start,
            "valid_until": end,
        }
        return await made("/v1/postings", body)

    return posting


@pytest.fixture
def office(servant, position, posting, made):
    """The fixtures above in one hand."""
    return SimpleNamespace(servant=servant, position=position, posting=posting, made=made)
