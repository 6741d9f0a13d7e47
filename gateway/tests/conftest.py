"""The gateway's own database, an issuer of tokens, a broker, and how a test serves HTTP."""

import asyncio
import contextlib
import socket
import time
from pathlib import Path

import asyncpg
import pytest
import sebalai_gateway
import uvicorn
from joserfc import jwt
from joserfc.jwk import ECKey
from sebalai_gateway.admission.keys import KeyStore
from sebalai_shared.broker import ApiError, Broker
from sebalai_shared.settings import MemberSettings
from sebalai_shared.testing.database import fresh_database

PACKAGE = Path(sebalai_gateway.__file__).parent


@pytest.fixture(scope="session")
async def gateway_url(postgres_admin_url):
    return await fresh_database(postgres_admin_url, "test_gateway", PACKAGE)


@pytest.fixture
async def journal_url(gateway_url):
    """The gateway's database with an empty journal and no partition but the default one."""
    connection = await asyncpg.connect(gateway_url)
    try:
        days = await connection.fetch(
            "SELECT inhrelid::regclass::text AS name FROM pg_inherits "
            "WHERE inhparent = 'journal'::regclass AND inhrelid <> 'journal_default'::regclass"
        )
        for day in days:
            await connection.execute(f"DROP TABLE {day['name']}")
        await connection.execute("TRUNCATE journal, relay_cursor, repeat, quota_use")
    finally:
        await connection.close()
    return gateway_url


@pytest.fixture
async def database(journal_url):
    """A connection beside the gateway's own, to look and to hurt with."""
    connection = await asyncpg.connect(journal_url)
    yield connection
    await connection.close()


class Issuer:
    """Signs access tokens for one application, as identity does."""

    url, audience = "http://127.0.0.1:8800", "urn:sebalai:gateway:ID-BB"

    def __init__(self):
        self.key, self.clock = ECKey.generate_key("P-256", {"kid": "k1"}), time.time

    @property
    def keys(self):
        """What a gateway knows of this issuer."""
        store = KeyStore()
        store.replace(1, [self.key.as_dict(private=False)])
        return store

    def token(self, **changed):
        now = int(self.clock())
        claims = {
            "iss": self.url, "aud": self.audience, "sub": "c", "client_id": "c", "jti": "j",
            "iat": now, "exp": now + 300, "kind": "system", "agency": "dinsos-pmd",
            "application": "ID-BB/GOV/dinsos-pmd/bansos", "scope": "bus.call",
        }  # fmt: skip
        header = {"alg": "ES256", "typ": "at+jwt", "kid": "k1"}
        return jwt.encode(header, claims | changed, self.key)


@pytest.fixture
def issuer():
    return Issuer()


@pytest.fixture
def emptied_broker(nats_url, nats_token):
    """A context: a connection to a real NATS where the stream is there and empty, and then gone."""

    @contextlib.asynccontextmanager
    async def emptied(stream):
        broker = Broker(MemberSettings(nats_url=nats_url, nats_token=nats_token))
        await broker.connect()
        with contextlib.suppress(ApiError):
            await broker.api(f"STREAM.DELETE.{stream['name']}")
        await broker.ensure_stream(stream)
        yield broker
        await broker.api(f"STREAM.DELETE.{stream['name']}")
        await broker.close()

    return emptied


@pytest.fixture
def serving():
    """A context: a real HTTP server in this loop, set as the product sets it; answers its port."""

    @contextlib.asynccontextmanager
    async def serve(app):
        config = uvicorn.Config(
            app, port=0, http="httptools", ws="none", lifespan="off", access_log=False,
            log_config=None, date_header=False, server_header=False, timeout_graceful_shutdown=1,
        )  # fmt: skip
        server = uvicorn.Server(config)
        listener = socket.create_server(("127.0.0.1", 0))
        task = asyncio.create_task(server._serve(sockets=[listener]))
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            await task

    return serve
