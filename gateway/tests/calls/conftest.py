"""The call path on loopback: a real server, a real journal, and a provider with raw sockets."""

import asyncio
import contextlib
import shutil
import socket
import tempfile
import threading
from pathlib import Path

import aiohttp
import asyncpg
import orjson
import pytest
import uvloop
from joserfc.jwk import ECKey
from multidict import CIMultiDict
from sebalai_gateway.admission.token import TokenVerifier
from sebalai_gateway.calls.parts import Parts
from sebalai_gateway.calls.path import Calls
from sebalai_gateway.database import Pool
from sebalai_gateway.forwarding.credentials import Credentials
from sebalai_gateway.forwarding.forwarder import Forwarder
from sebalai_gateway.journal.writer import Journal
from sebalai_gateway.lanes.asgi import over_asgi
from sebalai_gateway.quotas.leases import Quotas
from sebalai_gateway.repeats.claims import Claims
from sebalai_gateway.repeats.keys import Sealer
from sebalai_gateway.repeats.store import Store
from sebalai_gateway.routing.pulse import Pulse
from sebalai_gateway.routing.table import Table
from sebalai_gateway.signatures.nonces import Nonces
from sebalai_gateway.signatures.seals import Seals
from sebalai_gateway.signatures.signers import Signers
from sebalai_shared.addresses import Reach
from sebalai_shared.caller import AssertionSigner
from sebalai_shared.clock import SystemClock
from yarl import URL

CONSUMER = "ID-BB/GOV/dinsos-pmd/bansos"
PROVIDER = "ID-BB/GOV/dp3acskb/kependudukan"
SMALL_BYTES = 64 * 1024


def pytest_asyncio_loop_factories():
    """The product's own loop: its TLS is none of asyncio's."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
async def journal(journal_url):
    made = Journal(journal_url)
    made.start()
    async with asyncio.timeout(20):
        while not made.is_up:
            await asyncio.sleep(0.01)
    yield made
    await made.close()


def snapshot(url):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nowhere = f"http://127.0.0.1:{closed.getsockname()[1]}"
    interfaces = [
        {
            "id": name, "name": f"{PROVIDER}/{name}", "provider": PROVIDER, "agency": "dp3acskb",
            "addresses": address if isinstance(address, list) else [address], "contract_sha256": "ab" * 32, "read_timeout_ms": read,
            "total_timeout_ms": 600_000 if name == "besar" else 30_000,
            "max_request_bytes": limit, "member": member,
        }
        for name, address, read, limit, member in [
            ("penduduk", url, 10_000, SMALL_BYTES, None),
            ("besar", url, 20_000, 2 * 1024**3, None),
            ("lambat", url, 200, SMALL_BYTES, None),
            ("mati", nowhere, 10_000, SMALL_BYTES, None),
            ("sedikit", url, 10_000, SMALL_BYTES, None),
            ("bersama", url, 10_000, SMALL_BYTES, None),
            ("dua", [nowhere, url], 10_000, SMALL_BYTES, None),
            ("kembar", [url, url + "/kedua"], 10_000, SMALL_BYTES, None),
            ("anggota", url, 10_000, SMALL_BYTES, "exchange"),
        ]
    ]  # fmt: skip
    agreements = [
        {
            "id": f"agreement-{interface['id']}", "consumer": CONSUMER,
            "interface": interface["name"],
            "rules": [{"id": "r1", "method": "*", "path": "/open/**"}],
            "purposes": [{"code": "verifikasi-bansos", "legal_basis": "UU 11/2009"}],
            "valid_from": "2020-01-01T00:00:00Z", "valid_until": "2100-01-01T00:00:00Z",
            "quota_per_day": 3 if interface["id"] == "sedikit" else 10_000, "rate_per_second": 1_000, "burst": 1_000,
        }
        for interface in interfaces
    ]  # fmt: skip
    shared = next(one for one in agreements if one["id"] == "agreement-bersama")
    agreements += [shared | {"id": "agreement-kedua", "quota_per_day": 1}]
    shared["quota_per_day"] = 2
    return orjson.dumps(
        {"version": 1, "instance": "ID-BB", "interfaces": interfaces, "agreements": agreements}
    )


class Bus:
    """The gateway's call path as a consumer sees it, and what its journal says."""

    def __init__(self, table, session, database, lines, issuer):
        self.table, self.session, self.database, self.lines = table, session, database, lines
        self._issuer, self.port, self.forwarder = issuer, 0, None
        self.told, self.stood = None, 0.0
        self.bear()

    async def word(self):
        """What its pulse asks for."""
        await self.told()

    def offer(self, name, *addresses, signing="none", **more):
        """One more interface in the table, or the same offered otherwise."""
        known = orjson.loads(snapshot(""))
        interface = known["interfaces"][0] | {"id": name, "name": f"{PROVIDER}/{name}"}
        change = {
            "version": self.table.version + 1, "after": self.table.version, "instance": "ID-BB",
            "interfaces": [interface | {"addresses": list(addresses)} | more],
            "agreements": [self.terms(name) | {"signing": signing}],
        }  # fmt: skip
        self.table.apply(orjson.dumps(change))

    def terms(self, name):
        """The agreement of an offered interface."""
        agreement = orjson.loads(snapshot(""))["agreements"][0]
        return agreement | {"id": f"agreement-{name}", "interface": f"{PROVIDER}/{name}"}

    def bind(self, name, **bindings):
        """The agreement of an offered interface, bound to what its calls must show."""
        change = {
            "version": self.table.version + 1, "after": self.table.version, "instance": "ID-BB",
            "interfaces": [],
            "agreements": [self.terms(name) | bindings],
        }  # fmt: skip
        self.table.apply(orjson.dumps(change))

    def bear(self, **claims):
        self.token = self._issuer.token(**claims)

    def keep(self, name, content, owner=PROVIDER):
        """Puts a secret where the gateway looks for an application's, and lets a second pass."""
        data = content if isinstance(content, bytes) else content.encode()
        (self.secrets / f"{owner.replace('/', '.')}.{name}").write_bytes(data)
        self.now += 1

    def path(self, rest="/open/x", interface="penduduk"):
        return f"/r1/{PROVIDER}/{interface}{rest}"

    def headers(self, **more):
        ours = {"Authorization": f"Bearer {self.token}", "Sebalai-Purpose": "verifikasi-bansos"}
        return CIMultiDict({**ours, **more})

    def call(self, method="GET", rest="/open/x", *, interface="penduduk", headers=None, **more):
        url = URL(f"http://127.0.0.1:{self.port}{self.path(rest, interface)}", encoded=True)
        headers = self.headers() if headers is None else headers
        return self.session.request(method, url, headers=headers, allow_redirects=False, **more)

    async def raw(self, head, body=b""):
        """Sends bytes as they are; answers all that comes until the gateway closes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(head + body)
            return await reader.read()
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def phases(self, message_id):
        rows = await self.database.fetch(
            "SELECT phase FROM journal WHERE message_id = $1 ORDER BY seq", message_id
        )
        return [row["phase"] for row in rows]

    async def record(self, message_id=None, seconds=20):
        """The completed record of a call; of the only call there is, if none is named."""
        async with asyncio.timeout(seconds):
            while True:
                rows = await self.database.fetch(
                    "SELECT record::text AS record FROM journal WHERE phase = 'completed' "
                    "AND ($1::text IS NULL OR message_id::text = $1)",
                    message_id,
                )
                if rows:
                    assert len(rows) == 1
                    return orjson.loads(rows[0]["record"])
                await asyncio.sleep(0.02)


class Door:
    """The call path alone, served."""

    def __init__(self, calls):
        self.calls = calls

    async def __call__(self, scope, receive, send):
        await over_asgi(self.calls, scope, receive, send)

    def is_call(self, path):
        return path.startswith("/r1/")

    async def call(self, consumer):
        await self.calls(consumer)


@pytest.fixture
async def bus(provider, journal, journal_url, database, issuer, serving):
    table = Table.build(snapshot(provider.url))
    forwarder = Forwarder(Reach.parse(["127.0.0.1"]))
    signing = ECKey.generate_key("P-256", auto_kid=True)
    lines, pool = [], Pool(journal_url)
    made = Bus(table, None, database, lines, issuer)
    made.signers, made.own_key = Signers(), signing.private_key
    made.forwarder, made.now, made.secrets = forwarder, 0.0, Path(tempfile.mkdtemp())
    made.verifier = TokenVerifier(issuer.url, issuer.audience, issuer.keys)
    quotas = Quotas(pool)
    made.pulse = Pulse(made.word, lambda: made.stood)
    parts = Parts(
        pulse=made.pulse,
        verifier=made.verifier,
        table=lambda: made.table,
        journal=journal,
        forwarder=forwarder,
        signer=AssertionSigner(signing, issuer.audience, SystemClock()),
        quotas=quotas,
        seals=Seals(made.signers, Nonces(pool), signing.private_key, signing.thumbprint()),
        claims=Claims(Store(pool), Sealer(b"s" * 32)),
        public_url=issuer.url,
        log=lines.append,
        credentials=Credentials(made.secrets, lambda: made.now),
    )
    made.calls = Calls(parts)
    made.door = Door(made.calls)
    async with (
        serving(made.door) as made.port,
        aiohttp.ClientSession(
            auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
        ) as made.session,
    ):
        yield made
    await quotas.close()
    await pool.close()
    await forwarder.close()
    shutil.rmtree(made.secrets)


@pytest.fixture
def journal_down(postgres_admin_url, journal, database):
    """A context in which the gateway's database takes no connection, as if its server were gone."""

    @contextlib.asynccontextmanager
    async def down():
        admin = await asyncpg.connect(postgres_admin_url)
        try:
            await admin.execute("ALTER DATABASE test_gateway ALLOW_CONNECTIONS false")
            await admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = 'test_gateway' AND pid <> $1",
                database.get_server_pid(),
            )
            async with asyncio.timeout(20):
                while journal.is_up:
                    await asyncio.sleep(0.01)
            yield
        finally:
            await admin.execute("ALTER DATABASE test_gateway ALLOW_CONNECTIONS true")
            await admin.close()

    return down


@contextlib.contextmanager
def _by_hand(tls, said=b""):
    """A TLS server that says something at once and ends without TLS's own farewell."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        with contextlib.suppress(OSError):
            plain, _ = listener.accept()
            with plain, tls.wrap_socket(plain, server_side=True) as secure:
                secure.recv(4_096)
                secure.sendall(said)
                socket.socket.shutdown(secure, socket.SHUT_WR)
                secure.recv(4_096)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"https://localhost:{listener.getsockname()[1]}"
    finally:
        # Closing does not wake who accepts.
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


@pytest.fixture
def by_hand():
    return _by_hand
