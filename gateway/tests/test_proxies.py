"""Mutual TLS end to end before the real gateway: the stand-in for the proxy, and nginx by the file
that operators copy, where it is installed.
"""

import asyncio
import contextlib
import shutil
import socket
import ssl
import subprocess
from pathlib import Path
from urllib.parse import quote

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from sebalai_gateway.admission.proxy import Proxy, certificate_of

CONF = Path(__file__).parents[2] / "deploy/proxy/nginx.conf"
SECRET = "s" * 43
START_SECONDS = 20


async def echo(scope, receive, send):
    """Says what a gateway would believe, behind its own reading of the proxy's word."""
    scope = Proxy(SECRET, "127.0.0.0/8").read(scope)
    certificate = certificate_of(scope)
    said = f"{scope['client'][0]} {certificate.sha256 if certificate else '-'}".encode()
    headers = [(b"content-length", str(len(said)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": said})


@pytest.fixture
def files(authority, tmp_path):
    """`server.pem`, two clients' own, and `trusted.pem` with both of these."""
    for name in ("server", "ours", "other"):
        shutil.copy(authority.issue("localhost"), tmp_path / f"{name}.pem")
    both = [(tmp_path / f"{name}.pem").read_bytes() for name in ("ours", "other")]
    (tmp_path / "trusted.pem").write_bytes(b"".join(both))
    tmp_path.chmod(0o755)
    return tmp_path


@contextlib.asynccontextmanager
async def by_stand_in(files, port, stand_in):
    told = str(files / "server.pem"), str(files / "trusted.pem")
    async with stand_in("tls_proxy").Proxy(port, SECRET, *told).serving() as ours:
        yield ours


@contextlib.asynccontextmanager
async def by_nginx(files, port, stand_in):
    del stand_in
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as two,
    ):
        ours, plain = (each.getsockname()[1] for each in (one, two))
    (files / "sebalai-proxy.conf").write_text(f'proxy_set_header Sebalai-Proxy "{SECRET}";')
    text = CONF.read_text()
    for old, new in [
        ("127.0.0.1:8800", f"127.0.0.1:{port}"), ("listen 443", f"listen 127.0.0.1:{plain}"),
        ("listen 8443", f"listen 127.0.0.1:{ours}"), ("PUBLIC_HOST", "localhost"),
        ("/etc/sebalai/tls.pem", f"{files}/server.pem"), ("/etc/sebalai/tls.key", f"{files}/server.pem"),
        ("events {}", f"events {{}}\ndaemon off;\npid {files}/nginx.pid;\nerror_log {files}/error.log;"),
    ]:  # fmt: skip
        assert old in text
        text = text.replace(old, new)
    (files / "nginx.conf").write_text(text)
    process = subprocess.Popen(["nginx", "-p", files, "-c", files / "nginx.conf"])
    try:
        async with asyncio.timeout(START_SECONDS):
            while not await _answers(ours):
                assert process.poll() is None, (files / "error.log").read_text()
                await asyncio.sleep(0.05)
        yield ours
    finally:
        process.terminate()
        process.wait(START_SECONDS)


async def _answers(port):
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


@pytest.mark.parametrize("proxy", [by_stand_in, by_nginx], ids=["stand-in", "nginx"])
async def test_gateway_hears_of_the_certificate_that_was_proven_and_of_no_other(
    proxy, serving, files, authority, stand_in
):
    if proxy is by_nginx and shutil.which("nginx") is None:
        pytest.skip("nginx is not installed; the stand-in shows the same")
    ours = x509.load_pem_x509_certificate((files / "ours.pem").read_bytes())
    pem = quote(ours.public_bytes(Encoding.PEM).decode(), safe="")
    spoofed = {"Client-Cert": pem, "Sebalai-Proxy": SECRET[:-1], "X-Forwarded-For": "10.9.9.9"}

    async def heard(port, name=None, headers=None):
        context = ssl.create_default_context(cadata=authority.pem)
        if name is not None:
            context.load_cert_chain(files / f"{name}.pem")
        async with (
            aiohttp.ClientSession(trust_env=False) as session,
            session.get(f"https://localhost:{port}/", ssl=context, headers=headers) as answer,
        ):
            return await answer.text()

    async with serving(echo) as port, proxy(files, port, stand_in) as through:
        shown = ours.fingerprint(hashes.SHA256()).hex()
        assert await heard(through, "ours") == f"127.0.0.1 {shown}"
        assert await heard(through, "ours", spoofed) == f"127.0.0.1 {shown}"
        other = await heard(through, "other", spoofed)
        assert shown not in other
        assert len(other.split()[1]) == len(shown)
        assert await heard(through, None, spoofed) == "127.0.0.1 -"
