"""The webhooks' client against addresses that answer in every way, on raw sockets."""

import asyncio
import contextlib
import socket
import ssl
from datetime import UTC, datetime, timedelta

import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sebalai_exchange.deliveries import client as clients
from sebalai_exchange.deliveries.client import Client
from sebalai_exchange.deliveries.connection import (
    ANSWER_READ_BYTES,
    HEAD_BYTES_MAX,
    Unanswered,
)
from sebalai_shared import http
from sebalai_shared.addresses import Reach

LOCAL = Reach.parse(["127.0.0.1"])
OK = b"HTTP/1.1 204 x\r\n\r\n"
ENDLESS = b"HTTP/1.1 200 x\r\nContent-Length: 10737418240\r\n\r\nx"


class Address:
    """Answers the nth request of all with the nth of `answers`; None closes without a word."""

    def __init__(self, *answers, tls=None):
        self._answers, self._tls = list(answers), tls
        self.requests, self.connections = [], 0

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        port = self._server.sockets[0].getsockname()[1]
        scheme = "https" if self._tls else "http"
        self.url = f"{scheme}://127.0.0.1:{port}/hook?x=1"
        return self

    async def __aexit__(self, *_):
        self._server.close()

    async def _serve(self, reader, writer):
        self.connections += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                self.requests.append((head, await reader.readexactly(length)))
                answer = self._answers.pop(0)
                if answer is None:
                    break
                writer.write(answer)
                await writer.drain()
                if b"\r\nx-end:" in answer:
                    break
        writer.close()


@contextlib.asynccontextmanager
async def asking(*answers):
    client = Client(LOCAL)
    async with Address(*answers) as address:
        yield address, lambda: client.ask("POST", address.url, {"webhook-id": "1"}, b"{}")
    client.close()


async def test_name_is_tried_at_each_of_its_addresses(monkeypatch):
    client = Client(Reach.parse(["127.0.0.0/8"]))
    async with Address(OK) as address:
        port = int(address.url.split(":")[2].split("/")[0])

        async def both(*_, **__):
            return [(socket.AF_INET, 1, 6, "", (f"127.0.0.{last}", port)) for last in (2, 1)]

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", both)
        url = address.url.replace("127.0.0.1", "two.example")
        assert (await client.ask("POST", url, {}, b"{}")).status == 204
    client.close()


async def test_request_is_whole_and_the_connection_serves_again():
    async with asking(OK, OK) as (address, ask):
        assert [(await ask()).status, (await ask()).status] == [204, 204]
    assert address.connections == 1
    head, body = address.requests[0]
    assert head.startswith(b"POST /hook?x=1 HTTP/1.1\r\nhost: 127.0.0.1:")
    assert b"\r\nwebhook-id: 1\r\n" in head
    assert body == b"{}"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 x\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 103 x\r\nRetry-After: 9\r\n\r\nHTTP/1.1 200 x\r\nContent-Length: 0\r\n\r\n",
    ],
)
async def test_whole_answer_leaves_a_connection_that_serves_again(answer):
    async with asking(answer, OK) as (address, ask):
        first = await ask()
        assert (first.status, first.headers.get("retry-after")) == (200, None)
        assert (await ask()).status == 204
    assert address.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 x\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 x\r\nx-end: here\r\n\r\nuntil the end",
        ENDLESS,
        b"HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n800\r\n"
        + b"x" * (ANSWER_READ_BYTES + 1),
        b"HTTP/1.1 200 x\r\nContent-Length: 0\r\n\r\nHTTP/1.1 500 x\r\n\r\n",
        b"HTTP/1.0 200 x\r\nContent-Length: 0\r\n\r\n",
    ],
)
async def test_answer_that_is_not_whole_and_alone_is_the_connections_last(answer):
    async with asking(answer, OK) as (address, ask):
        assert (await ask()).status == 200
        assert (await ask()).status == 204
    assert address.connections == 2


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"SSH-2.0-OpenSSH\r\n", "the answer is no HTTP/1.1"),
        (b"HTTP/1.1 101 x\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "no HTTP/1.1"),
        (b"HTTP/1.1 200 x\r\na: " + b"x" * HEAD_BYTES_MAX, "has no end"),
        (b"HTTP/1.1 200 x\r\nContent-Length: 2\r\nx-end: here\r\n\r\no", "before its answer"),
        (None, "closed the connection"),
    ],
)
async def test_what_is_no_answer_says_why(answer, reason):
    async with asking(answer, OK) as (_, ask):
        with pytest.raises(Unanswered, match=reason):
            await ask()
        assert (await ask()).status == 204


async def test_connection_that_was_just_being_closed_costs_no_try():
    async with asking(OK, None, OK) as (address, ask):
        await ask()
        assert (await ask()).status == 204
    assert (address.connections, len(address.requests)) == (2, 3)


async def test_one_that_waited_too_long_is_not_used_again(monkeypatch):
    monkeypatch.setattr(clients, "IDLE_SECONDS", 0.0)
    async with asking(OK, OK) as (address, ask):
        await ask()
        await asyncio.sleep(0.01)
        await ask()
    assert address.connections == 2


async def test_addresses_are_checked_at_each_connect():
    client = Client(Reach())
    async with Address(OK) as address:
        with pytest.raises(Unanswered, match="internal address that no operator has named"):
            await client.ask("POST", address.url, {})
    assert address.connections == 0


async def test_another_address_is_asked_on_connections_of_its_own():
    client = Client(LOCAL)
    async with Address(OK) as old, Address(OK) as new:
        await client.ask("POST", old.url, {})
        await client.ask("POST", new.url, {})
        assert (len(old.requests), len(new.requests)) == (1, 1)
        with pytest.raises(Unanswered, match="no address"):
            await client.ask("POST", "http://127.0.0.1:99999/x", {})
    client.close()


async def test_nobody_there_says_so():
    client = Client(LOCAL)
    with pytest.raises(Unanswered, match="no connection"):
        await client.ask("POST", "http://127.0.0.1:1/x", {})


@pytest.fixture
def certified(tmp_path, monkeypatch):
    """Makes what an address serves TLS with and the bus trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hook.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    pem = tmp_path / "hook.pem"
    pem.write_bytes(
        made.public_bytes(form[0]) + key.private_bytes(*form, serialization.NoEncryption())
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem)

    def trust():
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
        http.trust.cache_clear()

    http.trust.cache_clear()
    yield context, trust
    http.trust.cache_clear()


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_tls_holds_the_authority_and_the_name(certified, loop):
    context, trust = certified

    async def asked():
        client = Client(Reach.parse(["localhost", "127.0.0.1"]))
        async with Address(OK, ENDLESS, OK, tls=context) as address:
            named = address.url.replace("127.0.0.1", "localhost")
            with pytest.raises(Unanswered, match="not trusted"):
                await client.ask("POST", named, {})
            trust()
            told = [(await client.ask("POST", named, {})).status for _ in range(3)]
            with pytest.raises(Unanswered, match="not trusted"):
                await client.ask("POST", address.url, {})
            assert len(address.requests) == 3
        client.close()
        return told

    with asyncio.Runner(loop_factory=loop) as runner:
        assert runner.run(asked()) == [204, 200, 204]
