"""TLS to providers: whom a connection trusts, as whom it appears, what a failed handshake means.

Does not own connections (`pool`), nor where the secrets come from.
"""

from __future__ import annotations

import hashlib
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from sebalai_gateway.forwarding.faults import ProviderUnreachable

IDENTITIES_LIMIT = 1_024

EXPIRED = "provider-certificate-expired"
WRONG_NAME = "provider-certificate-name"
UNTRUSTED = "provider-certificate-untrusted"
TLS_FAILED = "provider-tls-failed"
# How a handshake ends that began; some servers reset the connection instead of saying why.
HANDSHAKE = (ssl.SSLError, ConnectionResetError, ConnectionAbortedError)
# X509_V_ERR_* of OpenSSL's x509_vfy.h; the ssl module tells them without names.
_REASONS = {9: EXPIRED, 10: EXPIRED, 62: WRONG_NAME, 64: WRONG_NAME}


class TlsRefused(ProviderUnreachable):
    """No connection that can be trusted; `slug` says why. Of the call nothing was sent, unless the
    provider ends it after the handshake (TLS 1.3 tells a missing client certificate only then).
    """

    def __init__(self, slug: str, *, is_unsent: bool = True) -> None:
        super().__init__(slug, is_unsent=is_unsent)
        self.slug = slug


def refused(error: OSError, *, is_unsent: bool = True) -> TlsRefused:
    """What a TLS library's error means; its own words may hold what the provider wrote."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return TlsRefused(_REASONS.get(error.verify_code, UNTRUSTED), is_unsent=is_unsent)
    return TlsRefused(TLS_FAILED, is_unsent=is_unsent)


@dataclass(frozen=True, slots=True)
class Identity:
    """Digests of the trust anchors (empty: the system's) and of the secret that is shown.

    Connections of one identity are never another's: a provider may know its callers by connection.
    """

    anchors: str = ""
    secret: str = ""
    context: ssl.SSLContext | None = field(default=None, compare=False, repr=False)


SYSTEM = Identity()


def context_of(anchors: str, certificate: Path | None = None) -> ssl.SSLContext:
    """Trusts `anchors` (PEM) alone, or what the system trusts when there are none.

    At least TLS 1.2 (RFC 8996); `certificate` is a file with our chain and key.
    Raises: ssl.SSLError, OSError, ValueError.
    """
    context = ssl.create_default_context(cadata=anchors or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if anchors:
        # An agency may name the very certificate of its server, which no authority has signed.
        context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    if certificate is not None:
        # An encrypted key would ask at the terminal.
        context.load_cert_chain(certificate, password=lambda: "")
    return context


class Identities:
    """Made once each, because a context costs milliseconds; the oldest give way."""

    def __init__(self) -> None:
        self._known: dict[str, Identity] = {}

    def of(self, anchors: str) -> Identity:
        """Raises: TlsRefused, when the anchors are no certificates: then nobody can be trusted."""
        if not anchors:
            return SYSTEM
        found = self._known.get(anchors)
        if found is None:
            try:
                context = context_of(anchors)
            except (ssl.SSLError, ValueError):
                raise TlsRefused(UNTRUSTED) from None
            found = Identity(hashlib.sha256(anchors.encode()).hexdigest(), context=context)
            if len(self._known) >= IDENTITIES_LIMIT:
                del self._known[next(iter(self._known))]
            self._known[anchors] = found
        return found
