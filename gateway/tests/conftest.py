"""The gateway's own database, an issuer of tokens, a broker, and HTTP servers of two kinds."""

import asyncio
import contextlib
import hashlib
import ipaddress
import socket
import ssl
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
import sebalai_gateway
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from joserfc import jwt
from joserfc.jwk import ECKey
from multidict import CIMultiDict
from sebalai_gateway.admission.keys import KeyStore
from sebalai_gateway.serving import LANES
from sebalai_gateway.settings import GatewaySettings
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
        await connection.execute(
            "TRUNCATE journal, relay_cursor, repeat, quota_use, signature_nonce"
        )
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
        self.key = ECKey.generate_key("P-256", {"kid": "k1"})

    @property
    def keys(self):
        """What a gateway knows of this issuer."""
        store = KeyStore()
        store.replace(1, [self.key.as_dict(private=False)])
        return store

    def token(self, at=None, **changed):
        now = int(time.time()) if at is None else at
        claims = {
            "iss": self.url, "aud": self.audience, "sub": "c", "client_id": "c", "jti": "j",
            "iat": now, "exp": now + 300, "kind": "system", "agency": "dinsos-pmd",
            "application": "ID-BB/GOV/dinsos-pmd/bansos", "scope": "bus.call",
        }  # fmt: skip
        header = {"alg": "ES256", "typ": "at+jwt", "kid": "k1"}
        return jwt.encode(header, claims | changed, self.key)


@pytest.fixture(scope="session")
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
def lane():
    """How calls come in; tests of what must be alike on all of them name each."""
    return GatewaySettings.model_fields["lane"].default


@pytest.fixture
def patience():
    """For how many seconds a server keeps a connection that asks nothing."""
    return 5.0


@pytest.fixture
def serving(lane, patience):
    """A context: a real HTTP server in this loop, set as the product sets it; answers its port."""

    @contextlib.asynccontextmanager
    async def serve(app):
        config = uvicorn.Config(
            app, port=0, http=LANES[lane], ws="none", lifespan="off", access_log=False,
            log_config=None, date_header=False, server_header=False, proxy_headers=False,
            timeout_graceful_shutdown=1, timeout_keep_alive=patience,
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


@dataclass
class Seen:
    """One request as the provider read it from its socket."""

    method: str
    target: str
    headers: CIMultiDict
    size: int = 0
    hash: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    is_whole: bool = False


class Provider:
    """An HTTP server by hand; `answer(seen, reader, writer)` writes whatever a test wants."""

    def __init__(self):
        self.seen, self.answer, self.before_body = [], plain, None
        self.tasks, self.connections, self.names = set(), 0, []

    async def serve(self, reader, writer):
        self.connections += 1
        self.tasks.add(asyncio.current_task())
        try:
            while head := await self.head(reader):
                await self.exchange(head, reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.tasks.discard(asyncio.current_task())
            writer.close()

    @staticmethod
    async def head(reader):
        try:
            return (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except asyncio.IncompleteReadError:
            return ""

    async def exchange(self, head, reader, writer):
        line, *rest = head.strip().split("\r\n")
        method, target, _ = line.split(" ")
        headers = CIMultiDict(pair.split(": ", 1) for pair in rest)
        seen = Seen(method, target, headers)
        self.seen.append(seen)
        if self.before_body is not None:
            await self.before_body(writer)
        async for chunk in body_of(headers, reader):
            seen.size += len(chunk)
            seen.hash.update(chunk)
        seen.is_whole = True
        await self.answer(seen, writer)
        await writer.drain()


async def body_of(headers, reader):
    if "Transfer-Encoding" in headers:
        while size := int(await reader.readline(), 16):
            yield await reader.readexactly(size)
            await reader.readexactly(2)
        await reader.readexactly(2)
        return
    left = int(headers.get("Content-Length", "0"))
    while left:
        chunk = await reader.read(min(left, 65_536))
        if not chunk:
            raise asyncio.IncompleteReadError(b"", left)
        left -= len(chunk)
        yield chunk


async def plain(seen, writer):
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello")


@pytest.fixture(scope="session")
def providing():
    """A context: a provider on a port of its own; with an SSL context it speaks TLS."""

    @contextlib.asynccontextmanager
    async def provide(tls=None, host="127.0.0.1"):
        made = Provider()
        if tls is not None:
            tls.sni_callback = lambda _, name, __: made.names.append(name)
        server = await asyncio.start_server(made.serve, "127.0.0.1", 0, ssl=tls)
        scheme = "http" if tls is None else "https"
        made.authority = f"{host}:{server.sockets[0].getsockname()[1]}"
        made.url = f"{scheme}://{made.authority}"
        yield made
        server.close()
        for task in list(made.tasks):
            task.cancel()
        if made.tasks:
            await asyncio.wait(made.tasks)

    return provide


@pytest.fixture
async def provider(providing):
    async with providing() as made:
        yield made


class Authority:
    """An authority for tests, with a key of its own; its certificates are PEM with their key."""

    def __init__(self, folder, name="Tests"):
        self.folder, self.key, self.name = folder, ec.generate_private_key(ec.SECP256R1()), name
        self.pem = self._sign(
            name, self.key, x509.BasicConstraints(ca=True, path_length=0)
        ).decode()

    def _sign(self, subject, key, basic, alternatives=None, days=(-1, 1)):
        now = datetime.now(UTC)
        named = [
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, n)]) for n in (subject, self.name)
        ]
        made = x509.CertificateBuilder(
            named[1], named[0], key.public_key(), x509.random_serial_number(),
            now + timedelta(days=days[0]), now + timedelta(days=days[1]),
        )  # fmt: skip
        made = made.add_extension(basic, critical=True)
        if alternatives:
            made = made.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        return made.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM)

    def issue(self, host="localhost", days=(-1, 1)):
        """A file with a certificate for a host or address, and its key."""
        key, alternative = ec.generate_private_key(ec.SECP256R1()), x509.DNSName(host)
        if host[0].isdigit():
            alternative = x509.IPAddress(ipaddress.ip_address(host))
        basic = x509.BasicConstraints(ca=False, path_length=None)
        signed = self._sign(host, key, basic, [alternative], days)
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file = self.folder / f"{x509.random_serial_number():x}.pem"
        file.write_bytes(signed + private)
        return file

    def serves(self, *certificate, asks=False):
        """A server's context that shows such a certificate, and may ask for the caller's."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if asks:
            context.load_verify_locations(cadata=self.pem)
            context.verify_mode = ssl.CERT_REQUIRED
        context.load_cert_chain(self.issue(*certificate))
        return context


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def stranger(tmp_path_factory):
    """An authority nobody trusts."""
    return Authority(tmp_path_factory.mktemp("stranger"), "Strangers")
