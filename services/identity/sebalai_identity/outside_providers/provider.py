"""One way through an outside provider: where the browser is sent, and what it brings back.

No transaction is open while a provider is waited for.
"""

from dataclasses import dataclass
from urllib.parse import urlencode

from sebalai_shared.clock import Clock

from sebalai_identity.outside_providers import relying
from sebalai_identity.outside_providers.far import Far, Metadata
from sebalai_identity.outside_providers.faults import (
    ProviderAway,
    ProviderDeclined,
    ProviderDistrusted,
)
from sebalai_identity.outside_providers.keys import KeyFolder
from sebalai_identity.outside_providers.relying import Answer, Asking
from sebalai_identity.outside_providers.schema import Proven, Provider

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
REQUEST_URI_LENGTH_MAX = 500
DECLINED = frozenset(
    {"access_denied", "login_required", "interaction_required", "consent_required"}
)
"""Errors that are the person's own choice (OpenID Connect Core 1.0, 3.1.2.6)."""


@dataclass(frozen=True)
class OutsideProviders:
    """`public_url` is where browsers find us."""

    far: Far
    keys: KeyFolder
    clock: Clock
    public_url: str

    def redirect_uri(self, provider: Provider) -> str:
        """One for each provider: an answer of one cannot pass as another's."""
        return f"{self.public_url.rstrip('/')}/sign-in/outside/{provider.slug}/back"

    async def address(self, provider: Provider, asking: Asking) -> str:
        """Where to send the browser. Raises `ProviderAway`, `KeyMissing`."""
        metadata = await self.far.metadata(provider)
        asked = relying.parameters(provider, asking, self.redirect_uri(provider))
        if metadata.pushed is not None:
            asked = await self._pushed(provider, metadata, metadata.pushed, asked)
        return f"{metadata.authorization}?{urlencode(asked)}"

    async def _pushed(
        self, provider: Provider, metadata: Metadata, address: str, asked: dict[str, str]
    ) -> dict[str, str]:
        """RFC 9126: the browser carries a reference alone."""
        form = asked | self._proof(provider, metadata)
        try:
            answer = await self.far.send(provider, address, form)
        except ProviderDistrusted:
            raise ProviderAway("It refused the pushed request.") from None
        reference = answer.get("request_uri")
        if not isinstance(reference, str) or not 0 < len(reference) <= REQUEST_URI_LENGTH_MAX:
            raise ProviderAway("It gave no request_uri.")
        return {"client_id": provider.settings.client_id, "request_uri": reference}

    def _proof(self, provider: Provider, metadata: Metadata) -> dict[str, str]:
        own = self.keys.load(provider.settings.key_file)
        is_issuer = provider.settings.assertion_audience == "issuer"
        audience = provider.issuer if is_issuer else metadata.token
        made = relying.assertion(provider, own, audience, self.clock.now())
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": made}

    async def finish(self, provider: Provider, asking: Asking, answer: Answer) -> Proven:
        """Raises `ProviderAway`, `ProviderDeclined`, `ProviderDistrusted`, `KeyMissing`."""
        metadata = await self.far.metadata(provider)
        relying.require_issuer(answer, provider.issuer, is_told=metadata.tells_issuer)
        if answer.error in DECLINED:
            raise ProviderDeclined("The person did not go on there.")
        if answer.code is None:
            raise ProviderAway("It answered with an error.")
        compact = await self._redeem(provider, metadata, asking, answer.code)
        algorithm = provider.settings.id_token_algorithm
        kid = relying.kid_of(compact, algorithm)
        key = await self.far.key(provider, metadata, kid)
        claims = relying.claims_of(compact, key, algorithm)
        return relying.proven(claims, provider, asking, self.clock.now())

    async def _redeem(
        self, provider: Provider, metadata: Metadata, asking: Asking, code: str
    ) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri(provider),
            "code_verifier": asking.verifier,
            "client_id": provider.settings.client_id,
        }
        answer = await self.far.send(
            provider, metadata.token, form | self._proof(provider, metadata)
        )
        compact = answer.get("id_token")
        if not isinstance(compact, str):
            raise ProviderDistrusted("There is no ID token in the answer.")
        return compact
