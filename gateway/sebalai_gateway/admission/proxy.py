"""What the proxy that ends TLS says of a connection: the client certificate it proved (RFC 9440),
and the address it came from. Believed of one who shows the shared secret from an address that the
operator named, and of nobody else (ADR 0016).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address, ip_network
from urllib.parse import unquote_to_bytes

from starlette.types import Scope

from sebalai_gateway.refusals import Refusal

CERTIFICATE_BYTES_LIMIT = 16 * 1024
CERTIFICATES_CACHED = 4_096
SECRET_LENGTH_MIN = 32
_SECRET, _CERTIFICATE, _SOURCE = b"sebalai-proxy", b"client-cert", b"x-forwarded-for"
_SAID = frozenset({_SECRET, _CERTIFICATE, _SOURCE})
_KEY = "sebalai.certificate"
_PEM_BEGINS, _PEM_ENDS = b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----"


@dataclass(frozen=True, slots=True)
class Certificate:
    """`header`: as RFC 9440 writes it; `thumbprint`: `x5t#S256` (RFC 8705 3.1); `sha256`: hex."""

    header: bytes
    thumbprint: str
    sha256: str


def certificate_of(scope: Scope) -> Certificate | None:
    """Whose key the client holds, by the word of the proxy; None where none was shown."""
    return scope.get(_KEY)


def thumbprint_of(scope: Scope) -> str | None:
    found = certificate_of(scope)
    return found.thumbprint if found is not None else None


class Proxy:
    """`secret` None: there is no such proxy, and nothing of the kind is believed of anyone."""

    def __init__(self, secret: str | None = None, addresses: str = "") -> None:
        if secret is not None and len(secret) < SECRET_LENGTH_MIN:
            raise ValueError(f"the proxy's secret has at least {SECRET_LENGTH_MIN} characters")
        self._secret = secret.encode() if secret is not None else None
        self._ranges = [ip_network(one.strip()) for one in addresses.split(",") if one.strip()]

    def read(self, scope: Scope) -> Scope:
        """The scope with what a believed proxy says; of anybody else as it came.

        Raises:
            Refusal: 400 where the proxy says a thing twice or unreadably: it passes on what
                strangers send.
        """
        if self._secret is None:
            return scope
        address, certificate = self.told(scope["headers"], scope["client"][0])
        return {**scope, "client": (address, scope["client"][1]), _KEY: certificate}

    def told(
        self, headers: list[tuple[bytes, bytes]], address: str
    ) -> tuple[str, Certificate | None]:
        """Where the client of such a head is, and what it proved; `address` is the connection's.

        Raises: Refusal, as `read`.
        """
        if self._secret is None:
            return address, None
        said = [(name, value) for name, value in headers if name in _SAID]
        secrets = [value for name, value in said if name == _SECRET]
        if not secrets or not self._is_named(address) or not self._is_ours(secrets[0]):
            return address, None
        if len(secrets) > 1:
            raise _unreadable("Sebalai-Proxy came more than once.")
        shown = [value for name, value in said if name == _CERTIFICATE and value]
        if len(shown) > 1:
            raise _unreadable("Client-Cert came more than once.")
        return _source(said) or address, _read(shown[0]) if shown else None

    def _is_ours(self, shown: bytes) -> bool:
        return self._secret is not None and hmac.compare_digest(shown.strip(), self._secret)

    def _is_named(self, address: str) -> bool:
        try:
            found = ip_address(address)
        except ValueError:
            return False
        return any(found in one for one in self._ranges)


def _source(said: list[tuple[bytes, bytes]]) -> str | None:
    """The last address of the list: that one the proxy itself has seen."""
    lines = [value for name, value in said if name == _SOURCE]
    try:
        return str(ip_address(lines[-1].split(b",")[-1].strip().decode("ascii"))) if lines else None
    except ValueError:
        raise _unreadable("X-Forwarded-For does not end in an address.") from None


@lru_cache(CERTIFICATES_CACHED)
def _read(value: bytes) -> Certificate:
    """RFC 9440 (`:base64 of DER:`), or percent-encoded PEM as nginx writes it."""
    if len(value) > CERTIFICATE_BYTES_LIMIT:
        raise _unreadable("Client-Cert is too long.")
    text = unquote_to_bytes(value).strip()
    if text.startswith(_PEM_BEGINS) and text.endswith(_PEM_ENDS):
        inner = b"".join(text[len(_PEM_BEGINS) : -len(_PEM_ENDS)].split())
    elif text.startswith(b":") and text.endswith(b":"):
        inner = text[1:-1]
    else:
        raise _unreadable("Client-Cert is neither a byte sequence nor PEM.")
    try:
        der = base64.b64decode(inner, validate=True)
    except binascii.Error:
        raise _unreadable("Client-Cert is not base64.") from None
    digest = hashlib.sha256(der)
    thumbprint = base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()
    return Certificate(b":" + base64.b64encode(der) + b":", thumbprint, digest.hexdigest())


def _unreadable(detail: str) -> Refusal:
    return Refusal(
        400, "proxy-headers-invalid", "What the proxy says cannot be read",
        f"{detail} The operator sets the proxy right.",
    )  # fmt: skip
