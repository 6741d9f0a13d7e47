"""A system that comes by a client certificate (RFC 8705): its token is bound to it and opens the bus
with it alone, through TLS that ends before the platform as operators end it.
"""

import asyncio
import base64
import hashlib
import json
import ssl
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from sebalai_shared.ids import uuid7

pytestmark = pytest.mark.flow

OPERATOR, PROVIDER = "diskominfo/sebalai", "dp3acskb/kependudukan"
TRIES = 100


def certificate(folder, name):
    """A self-signed one in a PEM file with its key; answers its thumbprint (`x5t#S256`)."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = x509.CertificateBuilder(
        named, named, key.public_key(), x509.random_serial_number(),
        now - timedelta(hours=1), now + timedelta(hours=1),
        [x509.Extension(x509.SubjectAlternativeName.oid, False, x509.SubjectAlternativeName([x509.DNSName(name)]))],
    ).sign(key, hashes.SHA256())  # fmt: skip
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / f"{name}.pem").write_bytes(made.public_bytes(Encoding.PEM) + private)
    digest = hashlib.sha256(made.public_bytes(Encoding.DER)).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


@pytest.fixture
def thumbprints(tmp_path):
    """Of the proxy's certificate and of two systems', by name."""
    tmp_path.chmod(0o755)
    found = {name: certificate(tmp_path, name) for name in ("localhost", "ours", "other")}
    both = [(tmp_path / f"{name}.pem").read_text() for name in ("ours", "other")]
    (tmp_path / "trusted.pem").write_text("".join(both))
    return found


@pytest.fixture
async def through(platform, thumbprints, stand_in, tmp_path):
    """`await through("ours", method, url)`: at the proxy's address, by this certificate or None."""
    systems, own = stand_in("tls_proxy"), str(tmp_path / "localhost.pem")
    secret = (platform.home / "secrets/proxy-secret").read_text().strip()
    told = platform.base, secret, own
    proxy = systems.Proxy(*told, str(tmp_path / "trusted.pem"))
    if systems.has_nginx():
        proxy = systems.Nginx(tmp_path, *told)

    async def ask(name, method, url, **options):
        context = ssl.create_default_context(cafile=own)
        if name is not None:
            context.load_cert_chain(tmp_path / f"{name}.pem")
        async with httpx.AsyncClient(verify=context, trust_env=False, timeout=30) as client:
            return await client.request(method, url, **options)

    async with proxy.serving(urlsplit(platform.mtls).port):
        yield ask


def asked(platform, name, path, body=None):
    """What a member answers to an application of the seed."""
    headers = {"authorization": f"Bearer {platform.token(name)}", "idempotency-key": str(uuid7())}
    answer = httpx.post(f"{platform.gateway}/api/{path}", headers=headers, json=body, timeout=30)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


def registered(platform, thumbprint):
    """The client_id and identifier of an application that has no key but its certificate's."""
    settings = {"kind": "agency_system", "authentication": "self_signed_tls_client_auth"}
    made = asked(platform, OPERATOR, "identity/v1/applications", {
        "agency": "dinsos-pmd", "name": f"bersertifikat-{uuid7().hex[-8:]}",
        "scopes": ["bus.call", "exchange.manage"],
        "client": settings | {"certificate_thumbprints": [thumbprint]},
    })  # fmt: skip
    return made["client_id"], made["identifier"]


async def agree(platform, through, consumer, bearer):
    """To call the register of population: the system itself asks, its provider grants."""
    answer = await through(
        "ours", "POST", f"{platform.mtls}/api/exchange/v1/agreements",
        headers=bearer | {"idempotency-key": str(uuid7())},
        json={
            "consumer": consumer, "interface": platform.population["name"],
            "rules": [{"method": "GET", "path": "/residents"}],
            "purposes": [{"code": platform.population["purpose"], "legal_basis": "uji"}],
            "valid_until": "2030-01-01T00:00:00Z",
        },
    )  # fmt: skip
    assert answer.status_code == 201, answer.text
    asked(platform, PROVIDER, f"exchange/v1/agreements/{answer.json()['id']}/grant")


def header_of(pem):
    """As a proxy would write it (RFC 9440)."""
    der = x509.load_pem_x509_certificate(pem.read_bytes()).public_bytes(Encoding.DER)
    return f":{base64.b64encode(der).decode()}:"


def problem(answer):
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


async def once_routed(call):
    """The first answer that the new agreement has reached."""
    for _ in range(TRIES):
        answer = await call()
        if answer.status_code != 403:
            break
        await asyncio.sleep(0.1)
    return answer


async def test_token_of_a_certificate_opens_the_bus_with_that_certificate_alone(
    platform, thumbprints, through, tmp_path
):
    client_id, identifier = registered(platform, thumbprints["ours"])
    found = await through(None, "GET", f"{platform.mtls}/.well-known/openid-configuration")
    endpoint = found.json()["mtls_endpoint_aliases"]["token_endpoint"]
    assert endpoint == f"{platform.mtls}/oauth/token"
    form = {"grant_type": "client_credentials", "client_id": client_id}
    for name in ("other", None):
        refused = await through(name, "POST", endpoint, data=form)
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    token = (await through("ours", "POST", endpoint, data=form)).json()["access_token"]
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert claims["cnf"] == {"x5t#S256": thumbprints["ours"]}

    place = f"/r1/{platform.population['name']}/residents?limit=1"
    bearer = platform.headers() | {"authorization": f"Bearer {token}"}
    await agree(platform, through, identifier, bearer)

    def call(name, **more):
        return through(name, "GET", platform.mtls + place, headers=bearer | more)

    answer = await once_routed(lambda: call("ours"))
    assert answer.status_code == 200, answer.text
    before = platform.provider_count()
    assert problem(await call("other")) == (401, "token-binding")
    assert problem(await call(None)) == (401, "token-binding")
    # Whoever writes the proxy's headers himself is not believed, at the proxy or past it.
    shown = {"Client-Cert": header_of(tmp_path / "ours.pem")}
    assert problem(await call("other", **shown)) == (401, "token-binding")
    past = httpx.get(platform.gateway + place, headers=bearer | shown)
    assert problem(past) == (401, "token-binding")
    assert platform.provider_count() == before
    receipt = json.loads(platform.receipt(answer.headers["sebalai-message-id"], PROVIDER))
    assert receipt["payload"]["outcome"] == "answered"
