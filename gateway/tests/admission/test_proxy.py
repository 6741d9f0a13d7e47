"""The proxy that ends TLS is believed by its secret and its address together; nobody else is."""

import base64
import hashlib
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_gateway.admission.proxy import CERTIFICATE_BYTES_LIMIT, Proxy, certificate_of
from sebalai_gateway.refusals import Refusal

SECRET = "s" * 43
DER = bytes(range(200))
SHOWN = b":" + base64.b64encode(DER) + b":"
NAMED = "127.0.0.0/8,10.1.0.0/16"


def scope(*headers, client="127.0.0.1"):
    return {"type": "http", "headers": list(headers), "client": (client, 4711)}


def from_proxy(*headers, secret=SECRET, client="127.0.0.1"):
    return scope((b"sebalai-proxy", secret.encode()), *headers, client=client)


@pytest.fixture(scope="module")
def proxy():
    return Proxy(SECRET, NAMED)


def test_certificate_and_address_of_the_proxys_word(proxy):
    came = from_proxy((b"client-cert", SHOWN), (b"x-forwarded-for", b"1.2.3.4, 198.51.100.7"))
    read = proxy.read(came)
    digest = hashlib.sha256(DER).digest()
    found = certificate_of(read)
    assert (found.header, found.sha256) == (SHOWN, digest.hex())
    assert found.thumbprint == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert read["client"] == ("198.51.100.7", 4711)


def test_nginx_writes_it_as_escaped_pem(proxy):
    lines = base64.encodebytes(DER).decode()
    pem = f"-----BEGIN CERTIFICATE-----\n{lines}-----END CERTIFICATE-----\n"
    read = proxy.read(from_proxy((b"client-cert", quote(pem, safe="").encode())))
    assert certificate_of(read).header == SHOWN


def test_proxy_without_a_clients_certificate_says_so(proxy):
    assert certificate_of(proxy.read(from_proxy())) is None
    read = proxy.read(from_proxy((b"client-cert", b"")))
    assert (certificate_of(read), read["client"]) == (None, ("127.0.0.1", 4711))


@given(
    secret=st.text("s", max_size=60).filter(lambda text: text != SECRET),
    client=st.sampled_from(["127.0.0.1", "10.1.2.3"]),
)
def test_another_secret_is_not_believed(secret, client):
    came = from_proxy(
        (b"client-cert", SHOWN), (b"x-forwarded-for", b"9.9.9.9"), secret=secret, client=client
    )
    read = Proxy(SECRET, NAMED).read(came)
    assert (certificate_of(read), read["client"]) == (None, came["client"])


@pytest.mark.parametrize("client", ["192.0.2.1", "10.2.0.1", "::1", "unix:", ""])
def test_the_secret_from_elsewhere_is_not_believed(proxy, client):
    came = from_proxy((b"client-cert", SHOWN), client=client)
    assert certificate_of(proxy.read(came)) is None


def test_header_alone_is_believed_of_nobody(proxy):
    assert certificate_of(proxy.read(scope((b"client-cert", SHOWN)))) is None
    nobody = Proxy(None, NAMED)
    assert certificate_of(nobody.read(from_proxy((b"client-cert", SHOWN)))) is None


@pytest.mark.parametrize(
    "headers",
    [
        [(b"client-cert", SHOWN), (b"client-cert", SHOWN)],
        [(b"sebalai-proxy", b"other")],
        [(b"client-cert", b":no base64!:")],
        [(b"client-cert", base64.b64encode(DER))],
        [(b"client-cert", b":" + b"A" * CERTIFICATE_BYTES_LIMIT + b":")],
        [(b"x-forwarded-for", b"198.51.100.7, unknown")],
    ],
)
def test_proxy_that_passes_on_what_strangers_send_is_refused(proxy, headers):
    with pytest.raises(Refusal) as caught:
        proxy.read(from_proxy(*headers))
    assert (caught.value.status, caught.value.slug) == (400, "proxy-headers-invalid")


def test_short_secret_is_refused_at_the_start():
    with pytest.raises(ValueError, match="at least 32"):
        Proxy("short", NAMED)
