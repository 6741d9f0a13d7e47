"""Mutual TLS end to end before the real gateway: the stand-in for the proxy, and nginx by the file
that operators copy, where it is installed.
"""

import shutil
import ssl
from urllib.parse import quote

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from sebalai_gateway.admission.proxy import Proxy, certificate_of

SECRET = "s" * 43


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


def stand_in_of(files, port, systems):
    told = str(files / "server.pem"), str(files / "trusted.pem")
    return systems.Proxy(port, SECRET, *told)


def nginx_of(files, port, systems):
    return systems.Nginx(files, port, SECRET, str(files / "server.pem"))


@pytest.mark.parametrize("proxy", [stand_in_of, nginx_of], ids=["stand-in", "nginx"])
async def test_gateway_hears_of_the_certificate_that_was_proven_and_of_no_other(
    proxy, serving, files, authority, stand_in
):
    systems = stand_in("tls_proxy")
    if proxy is nginx_of and not systems.has_nginx():
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

    async with serving(echo) as port, proxy(files, port, systems).serving() as through:
        shown = ours.fingerprint(hashes.SHA256()).hex()
        assert await heard(through, "ours") == f"127.0.0.1 {shown}"
        assert await heard(through, "ours", spoofed) == f"127.0.0.1 {shown}"
        other = await heard(through, "other", spoofed)
        assert shown not in other
        assert len(other.split()[1]) == len(shown)
        assert await heard(through, None, spoofed) == "127.0.0.1 -"
