"""The served gateway against what clients, providers and outages really do; each test stands for a
fault that was found once. Real journal, real sockets, a provider that answers byte by byte.
"""

import asyncio
import base64
import contextlib
import json
import socket
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
import sebalai_gateway
import uvicorn
from joserfc import jws, jwt
from joserfc.jwk import ECKey, KeySet
from sebalai_gateway.app import Gateway
from sebalai_gateway.journal import jobs
from sebalai_gateway.routing.buckets import Bucket
from sebalai_gateway.serving import LANES
from sebalai_gateway.settings import GatewaySettings
from sebalai_shared.ids import uuid7
from sebalai_shared.testing.database import fresh_database

PACKAGE = Path(sebalai_gateway.__file__).parent
ISSUER = "http://issuer.example"
AUDIENCE = "urn:sebalai:gateway:ID-BB"
CONSUMER = "ID-BB/GOV/dinsos-pmd/bansos"
PROVIDER = "ID-BB/GOV/dp3acskb/kependudukan"
INTERFACE = f"{PROVIDER}/penduduk"
PURPOSE = "verifikasi-bansos"


class Provider:
    """A real HTTP server whose answers are written byte by byte by the test."""

    def __init__(self):
        self.seen, self.answer, self.connections = [], None, 0

    async def start(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self):
        self._server.close()

    async def _serve(self, reader, writer):
        self.connections += 1
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, OSError):
                while True:
                    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                    lines = head.split("\r\n")
                    headers = dict(
                        line.lower().split(": ", 1) for line in lines[1:] if ": " in line
                    )
                    body = await self._body(reader, headers)
                    self.seen.append((lines[0], headers, body))
                    if await (self.answer or plain)(writer, lines[0], len(self.seen)):
                        break
        finally:
            writer.close()

    async def _body(self, reader, headers):
        if "content-length" in headers:
            return await reader.readexactly(int(headers["content-length"]))
        body = b""
        if headers.get("transfer-encoding") == "chunked":
            while size := int(await reader.readline(), 16):
                body += await reader.readexactly(size)
                await reader.readline()
            await reader.readline()
        return body


async def plain(writer, line, count):
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\nhello")
    await writer.drain()


def agreement(**changes):
    now = datetime.now(UTC)
    return {
        "id": str(uuid7()), "consumer": CONSUMER, "interface": INTERFACE,
        "rules": [{"id": "r1", "method": "*", "path": "/**"}],
        "purposes": [{"code": PURPOSE, "legal_basis": "Perbup 1/2026"}],
        "valid_from": (now - timedelta(days=1)).isoformat(), "valid_until": (now + timedelta(days=1)).isoformat(),
        "quota_per_day": 100000, "rate_per_second": 1000, "burst": 1000,
    } | changes  # fmt: skip


class Bench:
    def __init__(self, port, provider, key, dsn, gateway):
        self.port, self.provider, self.key, self.dsn, self.gateway = (
            port,
            provider,
            key,
            dsn,
            gateway,
        )

    def token(self, **changes):
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "c", "client_id": str(uuid7()), "jti": str(uuid7()),
                  "iat": now, "exp": now + 300, "scope": "bus.call", "kind": "system", "agency": "dinsos-pmd",
                  "application": CONSUMER} | changes  # fmt: skip
        return jwt.encode({"alg": "ES256", "typ": "at+jwt", "kid": self.key.kid}, claims, self.key)

    async def raw(self, data, seconds=10):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(data)
        await writer.drain()
        async with asyncio.timeout(seconds):
            answer = await reader.read(1 << 20)
            with contextlib.suppress(TimeoutError):
                while not answer.endswith((b"hello", b"}", b"0\r\n\r\n")):
                    async with asyncio.timeout(1):
                        more = await reader.read(1 << 20)
                    if not more:
                        break
                    answer += more
        writer.close()
        return answer.decode("latin-1")

    def request(self, method="GET", path="/x", token=None, body=None, extra=""):
        token = self.token() if token is None else token
        length = f"content-length: {len(body)}\r\n" if body is not None else ""
        return (f"{method} /r1/{INTERFACE}{path} HTTP/1.1\r\nhost: g\r\nauthorization: Bearer {token}\r\n"
                f"sebalai-purpose: {PURPOSE}\r\n{length}{extra}\r\n").encode() + (body or b"")  # fmt: skip

    async def entries(self):
        connection = await asyncpg.connect(self.dsn)
        try:
            rows = await connection.fetch(
                "SELECT phase, record::text AS r FROM journal ORDER BY seq"
            )
        finally:
            await connection.close()
        return [(row["phase"], json.loads(row["r"])) for row in rows]


@pytest.fixture
async def bench(postgres_admin_url, nats_url, nats_token, tmp_path):
    dsn = await fresh_database(postgres_admin_url, "gateway_tests", PACKAGE)
    provider = Provider()
    await provider.start()
    key, routes = (ECKey.generate_key("P-256", auto_kid=True) for _ in range(2))
    snapshots = tmp_path / "snapshots"
    snapshots.mkdir()
    (tmp_path / "caller.jwk").write_text(json.dumps(key.as_dict(private=True)))
    (tmp_path / "routes.jwks").write_text(json.dumps(KeySet([routes]).as_dict(private=False)))
    interface = {"id": str(uuid7()), "name": INTERFACE, "provider": PROVIDER, "agency": "dp3acskb",
                 "addresses": [f"http://127.0.0.1:{provider.port}"], "total_timeout_ms": 2000, "read_timeout_ms": 1000}  # fmt: skip
    payload = {
        "version": 1,
        "instance": "ID-BB",
        "interfaces": [interface],
        "agreements": [agreement()],
    }
    header = {"alg": "ES256", "typ": "routes+jws", "kid": routes.kid}
    (snapshots / "routes.snapshot").write_text(
        jws.serialize_compact(header, json.dumps(payload), routes)
    )
    (snapshots / "jwks.snapshot").write_text(
        json.dumps({"version": 1, "keys": KeySet([key]).as_dict(private=False)["keys"]})
    )
    base = f"http://127.0.0.1:{provider.port}"
    settings = GatewaySettings(
        database_url=dsn, nats_url=nats_url, nats_token=nats_token, public_url=ISSUER,
        caller_key_file=tmp_path / "caller.jwk", routes_keys_file=tmp_path / "routes.jwks", snapshot_dir=snapshots,
        identity_url=base, catalog_url=base, archive_url=base, exchange_url=base, portal_url=base,
        private_providers="127.0.0.0/8",
    )  # fmt: skip
    gateway = Gateway(settings)
    config = uvicorn.Config(gateway, port=0, http=LANES[settings.lane], ws="none", access_log=False, log_config=None,
                            date_header=False, server_header=False)  # fmt: skip
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not (server.started and gateway._journal.is_up):
        await asyncio.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    provider.seen.clear()
    yield Bench(port, provider, key, dsn, gateway)
    server.should_exit = True
    await task
    await provider.stop()


def calls(bench):
    return [s for s in bench.provider.seen if "/internal/" not in s[0]]


async def test_a_plain_call_is_answered(bench):
    answer = await bench.raw(bench.request())
    assert answer.startswith("HTTP/1.1 200"), answer


async def test_the_edge_forwards_only_to_the_member(bench):
    other = Provider()
    await other.start()
    path = f"/%61pi%2fexchange%2f@127.0.0.1:{other.port}/secret"
    answer = await bench.raw(
        f"GET {path} HTTP/1.1\r\nhost: g\r\nauthorization: Bearer {bench.token()}\r\n\r\n".encode()
    )
    leaked = other.seen
    await other.stop()
    assert leaked == [], (answer[:80], leaked[0][0], sorted(leaked[0][1]))


async def test_a_java_client_offering_h2c_is_served(bench):
    answer = await bench.raw(
        bench.request(
            extra="connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n"
        )
    )
    assert answer.startswith("HTTP/1.1 200"), answer[:300]


async def test_not_modified_with_a_length_is_passed(bench):
    async def answer(writer, line, count):
        writer.write(b'HTTP/1.1 304 Not Modified\r\netag: "a"\r\ncontent-length: 5\r\n\r\n')

    bench.provider.answer = answer
    got = await bench.raw(bench.request())
    assert got.startswith("HTTP/1.1 304"), got
    # the connection must stay usable
    r, w = await asyncio.open_connection("127.0.0.1", bench.port)
    w.write(bench.request())
    await asyncio.sleep(0.5)
    w.write(bench.request())
    await asyncio.sleep(0.5)
    data = await r.read(65536)
    w.close()
    assert data.count(b"HTTP/1.1 304") == 2, data


async def test_an_answer_whose_entry_cannot_be_written_does_not_say_nothing_was_forwarded(bench):
    async def answer(writer, line, count):
        c = await asyncpg.connect(bench.dsn)
        try:
            await c.execute(
                "ALTER TABLE journal ADD CONSTRAINT stop CHECK (phase <> 'completed') NOT VALID"
            )
        finally:
            # The test may be over by then: nothing is waited for.
            c.terminate()
        await plain(writer, line, count)

    bench.provider.answer = answer
    got = await bench.raw(bench.request("POST", body=b"{}"))
    assert len(calls(bench)) == 1
    assert "Nothing is forwarded unrecorded" not in got, got


async def test_a_put_on_a_stale_connection_is_never_sent_again_without_its_body(bench):
    async def answer(writer, line, count):
        n = len([s for s in calls(bench) if s[0].startswith("PUT")])
        if n == 2:
            return True  # closes without an answer
        return await plain(writer, line, count)

    bench.provider.answer = answer
    await bench.raw(bench.request("PUT", body=b"first"))
    got = await bench.raw(bench.request("PUT", body=b"second"))
    puts = [(s[0], s[2]) for s in calls(bench) if s[0].startswith("PUT")]
    assert [b for _, b in puts] == [b"first", b"second"], (puts, got[:300])


async def test_a_day_is_not_dropped_before_any_relay_ran(bench):
    today = datetime.now(UTC).date()
    old = today - timedelta(days=40)
    c = await asyncpg.connect(bench.dsn)
    await jobs._make_day(c, old)
    await c.execute(
        "INSERT INTO journal (day, message_id, phase, at, record) VALUES ($1, gen_random_uuid(), 'completed', now(), '{}')",
        old,
    )
    await jobs.keep_partitions(bench.dsn)
    n = await c.fetchval("SELECT count(*) FROM journal")
    await c.close()
    assert n == 1, "an entry that no relay has sent was dropped"


async def test_a_malformed_answer_does_not_end_the_poll(bench):
    tasks = bench.gateway._feeds._tasks

    async def answer(writer, line, count):
        body = b"{}"
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n" + body)
        await writer.drain()

    bench.provider.answer = answer
    await asyncio.sleep(2.5)
    polls = [task for task in tasks if task.get_coro().__qualname__ == "Feed.poll"]
    assert len(polls) == 4
    assert not [task for task in polls if task.done()]


async def test_a_new_token_is_served_after_many_expired_ones(bench):
    old = bench.token(exp=int(time.time()) - 100, iat=int(time.time()) - 400)
    for _ in range(101):
        await bench.raw(bench.request(token=old))
    got = await bench.raw(bench.request())
    assert got.startswith("HTTP/1.1 200"), got[:400]


async def test_a_token_without_bus_call_is_refused(bench):
    got = await bench.raw(bench.request(token=bench.token(scope="archive.write")))
    assert got.startswith("HTTP/1.1 403"), got[:100]


async def test_a_reader_that_stalls_is_let_go(bench):
    big = b"x" * (1 << 20)

    async def answer(writer, line, count):
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % (len(big) * 64))
        with contextlib.suppress(ConnectionError, OSError):
            for _ in range(64):
                writer.write(big)
                await writer.drain()
        return True

    bench.provider.answer = answer
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(s, ("127.0.0.1", bench.port))
    await loop.sock_sendall(s, bench.request())
    await asyncio.sleep(5)  # total_timeout_ms is 2000
    done = [p for p, _ in await bench.entries()]
    s.close()
    await asyncio.sleep(0.5)
    assert "completed" in done, f"2 s total timeout, 5 s later the call still stands: {done}"


async def test_identity_sees_the_client_password_on_every_oauth_path(bench):
    basic = base64.b64encode(b"id:secret").decode()
    await bench.raw(
        f"POST /oauth/introspect HTTP/1.1\r\nhost: g\r\nauthorization: Basic {basic}\r\ncontent-length: 0\r\n\r\n".encode()
    )
    got = [s for s in bench.provider.seen if "introspect" in s[0]]
    assert [headers["authorization"].split()[0] for _, headers, _ in got] == ["basic"]


def test_an_agreement_without_a_rate_refuses_and_does_not_fail():
    b = Bucket(0.0, 1)
    b.take(1.0)
    assert b.take(1.0) is not None


async def test_a_reader_that_leaves_a_posts_answer_is_noticed(bench):
    async def answer(writer, line, count):
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        for _ in range(15):
            writer.write(b"5\r\nhello\r\n")
            await writer.drain()
            await asyncio.sleep(0.1)
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    bench.provider.answer = answer
    outcomes = []
    for method, body in (("GET", None), ("POST", b"{}")):
        _, w = await asyncio.open_connection("127.0.0.1", bench.port)
        w.write(bench.request(method, body=body))
        await asyncio.sleep(0.5)
        w.transport.abort()
        await asyncio.sleep(2)
        outcomes.append((await bench.entries())[-1][1]["outcome"])
    assert outcomes == ["failed", "failed"], outcomes


async def test_the_id_the_consumer_sent_is_echoed(bench):
    got = await bench.raw(bench.request(extra="x-road-id: surat-470-12\r\n"))
    assert "x-road-id: surat-470-12" in got.lower(), got[:500]


async def test_a_provider_at_fault_keeps_its_own_answer_and_is_not_called_twice(bench):
    async def answer(writer, line, count):
        writer.write(
            b"HTTP/1.1 500 Oops\r\ndate: D\r\nserver: S\r\nset-cookie: a=b\r\ncontent-length: 5\r\n\r\nhello"
        )
        await writer.drain()

    bench.provider.answer = answer
    got = (await bench.raw(bench.request())).lower()
    assert got.startswith("http/1.1 500")
    assert got.count("date:") == 1
    assert "x-road-error" not in got
    assert "set-cookie" not in got
    assert len(calls(bench)) == 1


async def test_truncated_upload_never_reaches_whole(bench):
    bad = base64.b64encode(b"\0" * 32).decode()
    got = await bench.raw(
        bench.request("POST", body=b"abc", extra=f"content-digest: sha-256=:{bad}:\r\n")
    )
    assert '"urn:sebalai:problem:digest-mismatch"' in got
    assert calls(bench) == []


async def test_two_content_digest_lines_are_both_read(bench):
    bad = base64.b64encode(b"\0" * 32).decode()
    got = await bench.raw(
        bench.request(
            "POST",
            body=b"abc",
            extra=f"content-digest: sha-256=:{bad}:\r\ncontent-digest: sha-512=:AAAA:\r\n",
        )
    )
    assert "digest-mismatch" in got, got[:200]


async def test_mixed_length_and_chunked_is_refused(bench):
    got = await bench.raw(
        bench.request("POST", extra="content-length: 3\r\ntransfer-encoding: chunked\r\n")
        + b"0\r\n\r\n"
    )
    assert got.startswith("HTTP/1.1 400")
    assert calls(bench) == []


async def test_signature_has_one_spelling(bench):
    t = bench.token()
    head, _, last = t.rpartition(".")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = alphabet[alphabet.index(last[-1]) ^ 1]
    got = await bench.raw(bench.request(token=f"{head}.{last[:-1]}{other}"))
    assert got.startswith("HTTP/1.1 401"), got[:100]
