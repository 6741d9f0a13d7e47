"""A person at a browser, before the pages of identity."""

import base64
import hashlib
import html
import json
import os
import re
import struct
from urllib.parse import urlencode

import cbor2
import pytest
from argon2 import PasswordHasher
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from sebalai_identity.app import identity_app
from sebalai_identity.credentials import actions, store
from sebalai_identity.credentials.hashing import PasswordWorkers
from sebalai_identity.credentials.keeper import Keeper
from sebalai_identity.interactions.actions import Wanted, open_interaction
from sebalai_shared.ids import uuid7
from sebalai_shared.testing.http import in_process
from sqlalchemy import text

PASSWORD = "tepung garam jembatan biru"
LOGIN = "siti.rahma"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Browser:
    """Keeps cookies, sends the forms it is shown; `headers` go with every request."""

    def __init__(self, app, **headers):
        self.client = in_process(app, headers or None)

    async def open(self, path, **headers):
        self.page = await self.client.get(path, headers=headers)
        return self.page

    def shown(self):
        """The words of the page, without marks."""
        body = self.page.text.split("<main", 1)[-1]
        return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())

    def csrf(self):
        return re.search(r'(?:name="csrf" value|data-csrf)="([^"]+)"', self.page.text).group(1)

    async def send(self, path, headers=None, **fields):
        if "csrf" not in fields:
            fields["csrf"] = self.csrf()
        body = urlencode({name: value for name, value in fields.items() if value is not None})
        self.page = await self.client.post(path, content=body, headers=FORM | (headers or {}))
        return self.page

    async def sign_in(self, login=LOGIN, password=PASSWORD, interaction=None, **more):
        query = f"?interaction={interaction}" if interaction else ""
        await self.open(f"/sign-in{query}")
        return await self.send(
            "/sign-in", login=login, password=password, interaction=interaction, **more
        )

    @property
    def session(self):
        return self.client.cookies.get("__Host-sebalai-session")


@pytest.fixture(scope="session")
def workers():
    workers = PasswordWorkers(2, PasswordHasher(1, 8, 1))
    yield workers
    workers.close()


@pytest.fixture
def app(settings, database, clock, workers):
    app = identity_app(settings, database, clock)
    given = app.state.keeper
    app.state.keeper = Keeper(database, clock, workers, given.sealed_by, given.breached)
    return app


@pytest.fixture
def keeper(app):
    return app.state.keeper


@pytest.fixture
def browser(app):
    # The cookie jar of the client sends `__Host-` cookies only to https.
    browser = Browser(app)
    browser.client.base_url = "https://bus.example"
    return browser


@pytest.fixture
def another(app):
    def another(app=app, **headers):
        browser = Browser(app, **headers)
        browser.client.base_url = "https://bus.example"
        return browser

    return another


@pytest.fixture
def person_named(keeper):
    async def person_named(name, login=None):
        subject = uuid7()
        async with keeper.database.transaction() as session:
            await session.execute(
                text(
                    "INSERT INTO person (id, name, assurance, source, state, valid_until, version,"
                    " created_at, changed_at) VALUES (:id, :name, 1, 'synthetic', 'active',"
                    " '2100-01-01Z', 1, now(), now())"
                ),
                {"id": subject, "name": name},
            )
            if login is not None:
                await store.keep_account(session, subject, login, None, keeper.clock.now())
                await actions.set_password(session, keeper, subject=subject, password=PASSWORD)
        return subject

    return person_named


@pytest.fixture
async def person(person_named):
    return await person_named("Siti Rahma", LOGIN)


@pytest.fixture
def interaction(keeper):
    async def interaction(**more):
        wanted = {
            "client_id": uuid7(),
            "client_name": "Perizinan",
            "agency": "dpmptsp",
            "scopes": ("openid", "profile"),
        } | more
        async with keeper.database.transaction() as session:
            return await open_interaction(session, keeper.clock, wanted=Wanted(**wanted))

    return interaction


class Authenticator:
    """A passkey device in software, as small as the standard lets it be (WebAuthn level 3)."""

    def __init__(self, origin="https://bus.example", rp_id="bus.example"):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id, self.count = os.urandom(32), 0
        self.origin, self.rp_id = origin, rp_id

    def _client_data(self, kind, challenge, **more):
        data = {"type": kind, "challenge": challenge, "origin": self.origin} | more
        return json.dumps(data).encode()

    def _authenticator_data(self, flags, attested=b""):
        self.count += 1
        digest = hashlib.sha256(self.rp_id.encode()).digest()
        return digest + bytes([flags]) + struct.pack(">I", self.count) + attested

    def create(self, options, flags=0x5D):
        """Flags: user present 1, verified 4, backup eligible 8, backed up 16, attested 64."""
        numbers = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}
        attested = bytes(16) + struct.pack(">H", len(self.id)) + self.id + cbor2.dumps(cose)
        self.user = options["user"]["id"]
        made = {
            "fmt": "none",
            "attStmt": {},
            "authData": self._authenticator_data(flags, attested),
        }
        return self._written(
            clientDataJSON=self._client_data("webauthn.create", options["challenge"]),
            attestationObject=cbor2.dumps(made),
        )

    def get(self, options, flags=0x1D):
        client = self._client_data("webauthn.get", options["challenge"])
        data = self._authenticator_data(flags)
        signed = data + hashlib.sha256(client).digest()
        return self._written(
            clientDataJSON=client,
            authenticatorData=data,
            signature=self.key.sign(signed, ec.ECDSA(hashes.SHA256())),
        )

    def _written(self, **response):
        text = {name: _text(value) for name, value in response.items()}
        identifier = _text(self.id)
        return {"id": identifier, "rawId": identifier, "type": "public-key", "response": text}


def _text(raw):
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@pytest.fixture
def authenticator():
    return Authenticator


@pytest.fixture
def ask():
    async def ask(browser, path, **body):
        return await browser.client.post(path, json=body, headers={"Sebalai-Form": browser.csrf()})

    return ask


@pytest.fixture
def enrol(ask):
    async def enrol(browser, device, flags=0x5D, **more):
        await browser.open("/my-access")
        options = await ask(browser, "/my-access/passkeys/options")
        assert options.status_code == 200, options.text
        credential = device.create(options.json(), flags)
        return await ask(browser, "/my-access/passkeys", credential=credential, **more)

    return enrol
