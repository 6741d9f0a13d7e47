"""Who is calling, as the gateway asserts it (wiring, section 5).

The gateway signs a short assertion; a member builds a frozen `Caller` from it in one place.
No header is an anonymous caller; a bad one is refused, never downgraded.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from sebalai_shared.clock import Clock
from sebalai_shared.ids import uuid7
from sebalai_shared.problems import Forbidden, Unauthenticated

HEADER = "Sebalai-Caller"
TYPE = "caller+jwt"
LIFETIME = timedelta(seconds=30)
LEEWAY_SECONDS = 5
OPERATE = "platform.operate"
BUSINESS_PREFIX = "urn:sebalai:business:"


@dataclass(frozen=True, slots=True)
class Caller:
    """`kind` is anonymous, system or gateway; `agency` a slug; `application` an r1 identifier.
    `acr`, `auth_time` (epoch seconds): how surely a person was recognised, and when.
    `acting_for`: the id of the business that a person acts for (`subject` still names the person),
    limited to `matters`, codes of services and purposes, unless that is None.
    `certificate`: the thumbprint (RFC 8705 3.1) of the client certificate the connection proved.
    """

    kind: str = "anonymous"
    subject: str | None = None
    agency: str | None = None
    application: str | None = None
    scopes: frozenset[str] = frozenset()
    message_id: str | None = None
    purpose: str | None = None
    acr: str | None = None
    auth_time: int | None = None
    certificate: str | None = None
    acting_for: str | None = None
    matters: tuple[str, ...] | None = None

    @property
    def party(self) -> str | None:
        """Whose matter it is: of who acts for a business the business's, and nothing of theirs."""
        return self.subject if self.acting_for is None else f"{BUSINESS_PREFIX}{self.acting_for}"

    def covers(self, matter: str) -> bool:
        return self.matters is None or matter in self.matters

    @property
    def is_anonymous(self) -> bool:
        return self.kind == "anonymous"

    @property
    def is_operator(self) -> bool:
        return OPERATE in self.scopes

    def has_scope(self, scope: str) -> bool:
        return scope in self.scopes or self.is_operator


ANONYMOUS = Caller()


_AS_THEY_ARE = (
    "agency", "application", "message_id", "purpose", "acr", "auth_time", "certificate",
    "acting_for",
)  # fmt: skip


class BadAssertion(Unauthenticated):
    slug, title = "caller-assertion-invalid", "The caller assertion is not valid"


class AssertionSigner:
    """The gateway's side: signs who is calling for one member (`audience`)."""

    def __init__(self, key: ECKey, issuer: str, clock: Clock) -> None:
        self._key, self._issuer, self._clock = key, issuer, clock

    def sign(self, caller: Caller, audience: str) -> str:
        now = int(self._clock.now().timestamp())
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "aud": audience,
            "sub": caller.subject or caller.kind,
            "kind": caller.kind,
            "iat": now,
            "exp": now + int(LIFETIME.total_seconds()),
            "jti": str(uuid7()),
            "scope": " ".join(sorted(caller.scopes)),
        }
        for name in _AS_THEY_ARE:
            value = getattr(caller, name)
            if value is not None:
                claims[name] = value
        if caller.matters is not None:
            claims["matters"] = list(caller.matters)
        header = {"alg": "ES256", "typ": TYPE, "kid": self._key.thumbprint()}
        return jwt.encode(header, claims, self._key)


class AssertionVerifier:
    """A member's side: checks signature, type, audience and time, and builds the `Caller`."""

    def __init__(self, keys: KeySet, audience: str, clock: Clock) -> None:
        self._keys, self._audience, self._clock = keys, audience, clock

    @classmethod
    def from_file(cls, path: Path, audience: str, clock: Clock) -> AssertionVerifier:
        keys = KeySet.import_key_set(json.loads(path.read_text(encoding="utf-8")))
        return cls(keys, audience, clock)

    def verify(self, assertion: str) -> Caller:
        """Raises: BadAssertion."""
        try:
            token = jwt.decode(assertion, self._keys, algorithms=["ES256"])
            if token.header.get("typ") != TYPE:
                raise BadAssertion("The assertion has another type; only the gateway may send one.")
            self._registry().validate(token.claims)
        except (JoseError, ValueError) as error:
            raise BadAssertion("The assertion was not made by the gateway, or is old.") from error
        return _caller(token.claims)

    def _registry(self) -> jwt.JWTClaimsRegistry:
        return jwt.JWTClaimsRegistry(
            now=int(self._clock.now().timestamp()),
            leeway=LEEWAY_SECONDS,
            aud={"essential": True, "value": self._audience},
            exp={"essential": True},
        )


def _caller(claims: Mapping[str, Any]) -> Caller:
    matters = claims.get("matters")
    return Caller(
        kind=str(claims.get("kind", "")),
        subject=claims.get("sub"),
        scopes=frozenset(str(claims.get("scope", "")).split()),
        matters=None if matters is None else tuple(matters),
        **{name: claims.get(name) for name in _AS_THEY_ARE},
    )


async def _any_caller(request: Request) -> Caller:
    assertion = request.headers.get(HEADER)
    if assertion is None:
        return ANONYMOUS
    verifier: AssertionVerifier | None = request.app.state.assertions
    if verifier is None:
        raise BadAssertion("This process has no key to check an assertion with.")
    return verifier.verify(assertion)


async def _identified(caller: Annotated[Caller, Depends(_any_caller)]) -> Caller:
    if caller.is_anonymous:
        raise Unauthenticated("Call through the gateway with an access token.")
    return caller


async def _gateway_only(caller: Annotated[Caller, Depends(_any_caller)]) -> Caller:
    if caller.kind != "gateway":
        raise Forbidden("Only the gateway itself may ask for this.")
    return caller


PublicAccess = Annotated[Caller, Depends(_any_caller)]
"""Anyone, known or not: the route stands on the short public list."""

IdentifiedAccess = Annotated[Caller, Depends(_identified)]
"""A caller the gateway has identified; the action decides what it may."""

GatewayAccess = Annotated[Caller, Depends(_gateway_only)]
"""The gateway itself, for snapshots."""
