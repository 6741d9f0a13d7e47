"""Calls to outside providers: discovery, keys, pushed requests, tokens.

Each with a limit of time and size, at addresses that were checked, without redirects; a provider
that fails is left alone for a while, and a slow one holds up nobody but those who wait for it.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sebalai_shared import http
from sebalai_shared.addresses import Reach

from sebalai_identity.outside_providers import relying
from sebalai_identity.outside_providers.faults import ProviderAway, ProviderDistrusted
from sebalai_identity.outside_providers.relying import Key
from sebalai_identity.outside_providers.schema import Provider, require_address

CALL_SECONDS = 5.0
ANSWER_BYTES_MAX = 64 * 1024
CALLS_AT_ONCE = 16
"""Of one provider; who comes above is told at once that it does not answer."""
KNOWN_MAX = 50
METADATA_SECONDS = 3600.0
KEYS_SECONDS = 3600.0
KEYS_AGAIN_SECONDS = 60.0
"""Between two looks for a key nobody knows: made-up `kid`s must not become calls."""
AWAY_SECONDS = 10.0
DISCOVERY = "/.well-known/openid-configuration"
OK, CREATED, FAULTS_OF_ITS_OWN = 200, 201, 500


@dataclass(frozen=True)
class Metadata:
    """What of discovery is used. `tells_issuer`: `iss` is in every answer (RFC 9207)."""

    authorization: str
    token: str
    keys: str
    pushed: str | None
    tells_issuer: bool


def read_metadata(document: dict[str, Any], issuer: str) -> Metadata:
    """Raises `ProviderAway`: it speaks for another issuer, or lacks an address."""
    if document.get("issuer") != issuer:
        raise ProviderAway("Its discovery speaks for another issuer.")
    try:
        pushed = document.get("pushed_authorization_request_endpoint")
        return Metadata(
            authorization=require_address(str(document["authorization_endpoint"])),
            token=require_address(str(document["token_endpoint"])),
            keys=require_address(str(document["jwks_uri"])),
            pushed=require_address(str(pushed)) if pushed is not None else None,
            tells_issuer=document.get("authorization_response_iss_parameter_supported") is True,
        )
    except (KeyError, ValueError):
        raise ProviderAway("Its discovery lacks a usable address.") from None


@dataclass
class _Known:
    """What is remembered of one provider, by the monotonic clock."""

    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(CALLS_AT_ONCE))
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    metadata: Metadata | None = None
    metadata_at: float = 0.0
    keys: dict[str, Key] = field(default_factory=dict[str, Key])
    keys_at: float | None = None
    keys_away_until: float = 0.0
    away_until: float = 0.0


def far_of(private: str, clock: Callable[[], float]) -> "Far":
    """`private`: hosts or CIDR in private ranges that may be called, by comma."""
    reach = Reach.parse(private.split(","))
    return Far(http.client(reach, read_seconds=CALL_SECONDS), clock)


class Far:
    def __init__(
        self, client: http.Client, clock: Callable[[], float], call_seconds: float = CALL_SECONDS
    ) -> None:
        self._client, self._clock, self._call_seconds = client, clock, call_seconds
        self._known: dict[str, _Known] = {}

    async def aclose(self) -> None:
        await self._client.aclose()

    def _of(self, provider: Provider) -> _Known:
        """By version, so that changed settings are read anew; the oldest gives way."""
        name = str(provider.id)
        if name not in self._known and len(self._known) >= KNOWN_MAX:
            del self._known[next(iter(self._known))]
        return self._known.setdefault(name, _Known())

    async def metadata(self, provider: Provider) -> Metadata:
        """Raises `ProviderAway`."""
        known = self._of(provider)
        async with known.turn:
            now = self._clock()
            if known.metadata is None or now - known.metadata_at >= METADATA_SECONDS:
                if now < known.away_until:
                    raise ProviderAway("It did not answer a moment ago.")
                known.metadata = await self._discover(provider, known)
                known.metadata_at = self._clock()
            return known.metadata

    async def _discover(self, provider: Provider, known: _Known) -> Metadata:
        try:
            document = await self._call(known, "GET", provider.issuer + DISCOVERY)
            return read_metadata(document, provider.issuer)
        except ProviderAway:
            known.away_until = self._clock() + AWAY_SECONDS
            raise

    async def key(self, provider: Provider, metadata: Metadata, kid: str) -> Key:
        """Raises `ProviderAway`, `ProviderDistrusted`: no such key."""
        known = self._of(provider)
        async with known.turn:
            found = self._held(known, kid)
            age = KEYS_SECONDS if known.keys_at is None else self._clock() - known.keys_at
            if age >= KEYS_SECONDS or (found is None and age >= KEYS_AGAIN_SECONDS):
                known.keys = await self._keys(provider, metadata, known)
                known.keys_at = self._clock()
                found = self._held(known, kid)
        if found is None:
            raise ProviderDistrusted("The ID token names a key that is not the provider's.")
        return found

    async def _keys(self, provider: Provider, metadata: Metadata, known: _Known) -> dict[str, Key]:
        """Who comes soon after a failure is told that it is away, and that says nothing of keys."""
        if self._clock() < known.keys_away_until:
            raise ProviderAway("It did not tell its keys a moment ago.")
        try:
            document = await self._call(known, "GET", metadata.keys)
        except ProviderAway:
            known.keys_away_until = self._clock() + AWAY_SECONDS
            raise
        return relying.usable_keys(document, provider.settings.id_token_algorithm)

    def _held(self, known: _Known, kid: str) -> Key | None:
        if kid:
            return known.keys.get(kid)
        return next(iter(known.keys.values())) if len(known.keys) == 1 else None

    async def send(self, provider: Provider, address: str, form: dict[str, str]) -> dict[str, Any]:
        """A form in our own name. Raises `ProviderAway`, `ProviderDistrusted`: it says no."""
        return await self._call(self._of(provider), "POST", address, data=form)

    async def _call(self, known: _Known, method: str, address: str, **more: Any) -> dict[str, Any]:
        if known.room.locked():
            raise ProviderAway("Too many wait for it already.")
        async with known.room:
            try:
                async with asyncio.timeout(self._call_seconds):
                    answer = await self._client.fetch(
                        address,
                        method=method,
                        limit=ANSWER_BYTES_MAX,
                        headers={"Accept": "application/json"},
                        **more,
                    )
            except (http.Error, TimeoutError, ValueError):
                # No cause is told further: it may hold what an inner address revealed.
                raise ProviderAway("It cannot be reached, is slow, or says too much.") from None
        return _document(answer, method)


def _document(answer: http.Response, method: str) -> dict[str, Any]:
    if answer.status_code not in (OK, CREATED):
        if method == "POST" and answer.is_client_error:
            raise ProviderDistrusted("The provider refused what we sent.")
        raise ProviderAway("It answered with another status than success.")
    try:
        found = json.loads(answer.content)
    except (ValueError, RecursionError):
        raise ProviderAway("Its answer is not JSON.") from None
    if not isinstance(found, dict):
        raise ProviderAway("Its answer is no object.")
    return found  # pyright: ignore[reportUnknownVariableType]
