"""As whom the gateway appears before a provider: whom it trusts there, and the secret it shows.

The consumer's own credentials end at the gateway; what an interface names is the gateway's to show,
and no header of a consumer stands beside it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sebalai_gateway.calls import faults
from sebalai_gateway.calls import headers as head
from sebalai_gateway.forwarding.credentials import (
    Credentials,
    CredentialUnavailable,
    Named,
    Secret,
)
from sebalai_gateway.forwarding.tls import SYSTEM, Identities, Identity
from sebalai_gateway.routing.snapshot import Interface

# Names that carry the exchange itself, and can therefore carry no secret.
_TAKEN = (head.NOT_FORWARDED - {b"authorization"}) | {b"content-length"}


@dataclass(frozen=True, slots=True)
class Appearance:
    identity: Identity = SYSTEM
    header: tuple[bytes, bytes] | None = None

    def join(self, forwarded: head.Headers) -> head.Headers:
        """The consumer's headers with the secret, and without any that could pass for it: many
        servers read `X_Api_Key` as `X-Api-Key`.
        """
        if self.header is None:
            return forwarded
        name = self.header[0]
        return [*(p for p in forwarded if p[0].replace(b"_", b"-") != name), self.header]


_USUAL = Appearance()


class Appearances:
    def __init__(self, credentials: Credentials) -> None:
        self._credentials, self._identities = credentials, Identities()

    def check(self, interface: Interface) -> None:
        """Raises: Refusal, 503, when the secret that the interface names cannot be shown."""
        try:
            self._secret(interface)
        except CredentialUnavailable:
            raise faults.credential_unavailable() from None

    def missing(self, interfaces: Iterable[Interface]) -> int:
        """How many of them name a secret that cannot be shown."""
        return sum(not self._is_there(one) for one in interfaces if one.credential is not None)

    def _is_there(self, interface: Interface) -> bool:
        try:
            self._secret(interface)
        except CredentialUnavailable:
            return False
        return True

    def of(self, interface: Interface) -> Appearance:
        """Raises: Refusal, 503; TlsRefused."""
        if interface.credential is None and not interface.trust_anchors:
            return _USUAL
        try:
            secret = self._secret(interface)
            identity = self._identities.of(interface.trust_anchors, secret)
        except CredentialUnavailable:
            raise faults.credential_unavailable() from None
        return Appearance(identity, secret.header if secret else None)

    def _secret(self, interface: Interface) -> Secret | None:
        """Raises: CredentialUnavailable."""
        wanted = interface.credential
        if wanted is None:
            return None
        if not all(address.startswith("https://") for address in interface.addresses):
            raise CredentialUnavailable("an address would carry the secret in the clear")
        secret = self._credentials.of(
            Named(interface.provider, wanted.kind, wanted.id, wanted.header)
        )
        if secret.header is not None and secret.header[0] in _TAKEN:
            raise CredentialUnavailable("the header is the gateway's own")
        return secret
