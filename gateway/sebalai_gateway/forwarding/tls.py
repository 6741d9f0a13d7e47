"""TLS to providers: whom a connection trusts, as whom it appears, what a failed handshake means.

Does not own connections (`pool`), nor where the secrets come from.
"""

from __future__ import annotations

import hashlib
import ssl
from dataclasses import dataclass, field

from sebalai_gateway.forwarding.credentials import CredentialUnavailable, Secret
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


def context_of(anchors: str) -> ssl.SSLContext:
    """Trusts `anchors` (PEM) alone, or what the system trusts when there are none; at least TLS 1.2
    (RFC 8996).

    Raises: ssl.SSLError, ValueError.
    """
    context = ssl.create_default_context(cadata=anchors or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if anchors:
        # An agency may name the very certificate of its server, which no authority has signed.
        context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    return context


class Identities:
    """Made once each, because a context costs milliseconds; the oldest give way."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Identity] = {}

    def of(self, anchors: str, secret: Secret | None = None) -> Identity:
        """Raises: TlsRefused, when the anchors are no certificates, because then nobody can be
        trusted; CredentialUnavailable.
        """
        if not anchors and secret is None:
            return SYSTEM
        key = anchors, secret.digest if secret else ""
        found = self._known.get(key)
        if found is None:
            found = _identity(anchors, secret)
            if len(self._known) >= IDENTITIES_LIMIT:
                del self._known[next(iter(self._known))]
            self._known[key] = found
        return found


def _identity(anchors: str, secret: Secret | None) -> Identity:
    if not anchors and (secret is None or secret.certificate is None):
        return Identity("", secret.digest if secret else "")
    try:
        context = context_of(anchors)
    except (ssl.SSLError, ValueError):
        raise TlsRefused(UNTRUSTED) from None
    if secret is not None and secret.certificate is not None:
        try:
            secret.certificate.load_into(context)
        except (OSError, ValueError):
            raise CredentialUnavailable("the file changed while it was read") from None
    digest = hashlib.sha256(anchors.encode()).hexdigest() if anchors else ""
    return Identity(digest, secret.digest if secret else "", context)
