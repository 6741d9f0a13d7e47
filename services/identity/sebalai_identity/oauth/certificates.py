"""Clients that prove themselves by a certificate (RFC 8705 section 2): one of their own, which they
have told us, or one by an authority that the operator trusts, in the name they have registered.

That the client holds its key was proven to the proxy that ended TLS, and is the gateway's word
(`door`). Whether an authority has taken a certificate back is not asked: a client's own end does
that, and its registration is suspended.
"""

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    PolicyBuilder,
    Store,
    VerificationError,
)
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from sebalai_identity.applications.actions import CERTIFICATES_MAX, ClientSettings
from sebalai_identity.oauth.errors import OAuthError, invalid_request

PKI, SELF_SIGNED = "tls_client_auth", "self_signed_tls_client_auth"
METHODS = (PKI, SELF_SIGNED)
PARSED_CACHED = 1_000
PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_KEYS = {"EC": ECKey, "RSA": RSAKey}


@dataclass(frozen=True, slots=True)
class Certificate:
    """`thumbprint`: `x5t#S256` (RFC 8705 section 3.1)."""

    der: bytes
    thumbprint: str

    @property
    def parsed(self) -> x509.Certificate:
        """Raises `ValueError`."""
        return _parsed(self.der)


@lru_cache(PARSED_CACHED)
def _parsed(der: bytes) -> x509.Certificate:
    return x509.load_der_x509_certificate(der)


def thumbprint_of(der: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()


def read(header: str) -> Certificate:
    """RFC 9440: `:base64 of DER:`. Raises `OAuthError` invalid_request."""
    is_sequence = len(header) > 1 and header.startswith(":") and header.endswith(":")
    try:
        der = base64.b64decode(header[1:-1] if is_sequence else "?", validate=True)
    except ValueError as error:
        raise invalid_request("Client-Cert is not a byte sequence.") from error
    return Certificate(der, thumbprint_of(der))


class Authorities:
    """Those whose word on a client's name the operator takes; `pem` holds their certificates, those
    between root and client included, because connections bring no chain.
    """

    def __init__(self, pem: bytes) -> None:
        self._store = Store(x509.load_pem_x509_certificates(pem))

    @classmethod
    def from_file(cls, path: Path) -> "Authorities":
        return cls(path.read_bytes())

    def vouch_for(self, certificate: x509.Certificate, at: datetime) -> bool:
        policy = (
            PolicyBuilder()
            .store(self._store)
            .time(at)
            .extension_policies(ca_policy=ExtensionPolicy.webpki_defaults_ca(), ee_policy=_CLIENTS)
        )
        try:
            policy.build_client_verifier().verify(certificate, [])
        except VerificationError:
            return False
        return True


def _require_client_use(
    _: object, __: x509.Certificate, usage: x509.ExtendedKeyUsage | None
) -> None:
    """One made for servers, say, is no client's; one that names no use is for any."""
    if usage is not None and ExtendedKeyUsageOID.CLIENT_AUTH not in usage:
        raise ValueError("not for clients")


_CLIENTS = ExtensionPolicy.permit_all().may_be_present(
    x509.ExtendedKeyUsage, Criticality.AGNOSTIC, _require_client_use
)


def proves(
    settings: ClientSettings, shown: Certificate, authorities: Authorities | None, at: datetime
) -> bool:
    """Whether it is the certificate of this client now."""
    try:
        certificate = shown.parsed
        if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
            return False
        if shown.thumbprint in settings.certificate_thumbprints:
            return True
        subject = settings.certificate_subject
        if subject is None or authorities is None or not subject.is_of(certificate):
            return False
        return authorities.vouch_for(certificate, at)
    except (ValueError, UnsupportedAlgorithm):
        return False


class CertificatesRefused(Exception):
    """No certificates we can use; the text says why."""


def read_certificates(document: Any) -> tuple[str, ...]:
    """The thumbprints of a JWK set's certificates, each the first of `x5c` and of its key's own
    public part (RFC 8705 section 2.2.2, RFC 7517 section 4.7). Raises `CertificatesRefused`.
    """
    keys: Any = document.get("keys") if isinstance(document, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    if not isinstance(keys, list):
        raise CertificatesRefused("it must be a JWK set")
    if any(isinstance(key, dict) and not PRIVATE.isdisjoint(key) for key in keys):  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        raise CertificatesRefused("it must hold public keys alone")
    bearing = [key for key in keys if isinstance(key, dict) and "x5c" in key]  # pyright: ignore[reportUnknownVariableType]
    if not 0 < len(bearing) <= CERTIFICATES_MAX:  # pyright: ignore[reportUnknownArgumentType]
        raise CertificatesRefused(f"1 to {CERTIFICATES_MAX} of its keys must have x5c")
    try:
        return tuple(dict.fromkeys(_thumbprint(key) for key in bearing))  # pyright: ignore[reportUnknownVariableType]
    except (ValueError, TypeError, LookupError, JoseError, UnsupportedAlgorithm) as error:
        raise CertificatesRefused("x5c must begin with the certificate of its key") from error


def _thumbprint(key: dict[str, Any]) -> str:
    der = base64.b64decode(key["x5c"][0], validate=True)
    own = {name: key[name] for name in ("kty", "crv", "x", "y", "n", "e") if name in key}
    told = _KEYS[key["kty"]].import_key(own).public_key
    certified = _parsed(der).public_key()
    spki = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    if told.public_bytes(*spki) != certified.public_bytes(*spki):
        raise ValueError("another key's certificate")
    return thumbprint_of(der)


def require_bound(settings: ClientSettings, shown: Certificate | None) -> None:
    """Raises `OAuthError` for a client that wants tokens bound to a certificate and shows none."""
    if settings.is_certificate_bound and shown is None:
        raise OAuthError("invalid_request", "Tokens of this application are bound: use mutual TLS.")
