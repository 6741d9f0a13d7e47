"""A certificate that the named proxy has seen opens what is bound to it, at each call."""

import base64
import contextlib
import hashlib

import pytest
from sebalai_gateway.admission.proxy import Proxy
from sebalai_gateway.lanes.asgi import over_asgi

SECRET = "s" * 43
OURS, OTHER = (b":" + base64.b64encode(der) + b":" for der in (b"certificate", b"other"))
SHA256 = hashlib.sha256(b"certificate")
THUMBPRINT = base64.urlsafe_b64encode(SHA256.digest()).rstrip(b"=").decode()


@pytest.fixture
async def proxied(bus, serving):
    """A context: the bus behind the gateway's own reading of what proxies say."""

    @contextlib.asynccontextmanager
    async def proxied(addresses="127.0.0.0/8"):
        proxy = Proxy(SECRET, addresses)

        async def app(scope, receive, send):
            await over_asgi(bus.calls, proxy.read(scope), receive, send)

        async with serving(app) as bus.port:
            yield

    return proxied


def shown(certificate, secret=SECRET):
    return {"Sebalai-Proxy": secret, "Client-Cert": certificate.decode()}


async def outcome(bus, interface="penduduk", **more):
    async with bus.call(interface=interface, headers=bus.headers(**more)) as answer:
        return 200 if answer.status == 200 else (await answer.json())["type"].rpartition(":")[2]


async def test_token_bound_to_a_certificate_opens_with_it_alone(bus, proxied, provider):
    bus.bear(cnf={"x5t#S256": THUMBPRINT})
    async with proxied():
        assert await outcome(bus, **shown(OURS)) == 200
        assert {"client-cert", "sebalai-proxy"}.isdisjoint(
            {name.lower() for name in provider.seen[-1].headers}
        )
        assert await outcome(bus, **shown(OTHER)) == "token-binding"
        assert await outcome(bus) == "token-binding"
        spoofed = {"Client-Cert": OURS.decode()}
        assert await outcome(bus, **spoofed) == "token-binding"
        assert await outcome(bus, **shown(OURS, "t" * 43)) == "token-binding"
    async with proxied(addresses="10.0.0.0/8"):
        assert await outcome(bus, **shown(OURS)) == "token-binding"
    assert len(provider.seen) == 1


async def test_agreement_bound_to_a_certificate_serves_calls_that_show_it(bus, proxied, provider):
    bus.offer("terikat", provider.url)
    bus.bind("terikat", bound_certificates=[SHA256.hexdigest()])
    async with proxied():
        assert await outcome(bus, "terikat", **shown(OURS)) == 200
        assert await outcome(bus, "terikat", **shown(OTHER)) == "certificate-not-agreed"
        assert await outcome(bus, "terikat") == "certificate-not-agreed"


async def test_agreement_bound_to_addresses_sees_whom_the_proxy_saw(bus, proxied, provider):
    bus.offer("setempat", provider.url)
    bus.bind("setempat", bound_addresses=["198.51.100.0/24"])
    proxy = {"Sebalai-Proxy": SECRET}
    async with proxied():
        near = proxy | {"X-Forwarded-For": "203.0.113.9, 198.51.100.7"}
        assert await outcome(bus, "setempat", **near) == 200
        far = proxy | {"X-Forwarded-For": "198.51.100.7, 203.0.113.9"}
        assert await outcome(bus, "setempat", **far) == "address-not-agreed"
        claimed = {"X-Forwarded-For": "198.51.100.7"}
        assert await outcome(bus, "setempat", **claimed) == "address-not-agreed"
