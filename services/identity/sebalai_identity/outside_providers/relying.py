"""The rules of a relying party, pure: what is asked, and which answers are believed.

Sources: OpenID Connect Core 1.0 (3.1.2.1, 3.1.3.7), RFC 9700 (security best practice), RFC 7636
(PKCE), RFC 9207 (`iss` in answers), RFC 7523 (private_key_jwt), RFC 8725 (algorithms of JWTs).
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from sebalai_shared.ids import uuid7

from sebalai_identity.outside_providers.access import level_of
from sebalai_identity.outside_providers.faults import ProviderDistrusted
from sebalai_identity.outside_providers.keys import OwnKey
from sebalai_identity.outside_providers.schema import Proven, Provider

Key = ECKey | RSAKey

SKEW = timedelta(seconds=60)
"""How far the provider's clock may stand from ours."""
ISSUED_WITHIN = timedelta(minutes=10)
ASSERTION_SECONDS = 60
TOKEN_LENGTH_MAX = 16_384
SUBJECT_LENGTH_MAX = 255
CLAIM_LENGTH_MAX = 200
PARAMETER_LENGTH_MAX = 2_048
SECONDS_MAX = 253_402_300_799
HEADER_MEMBERS = frozenset({"alg", "typ", "kid"})
CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
RSA_BITS_MIN = 2_048


@dataclass(frozen=True)
class Asking:
    """What binds one request to its answer. `max_age` in seconds; 0 asks for a new proof."""

    state: str
    nonce: str
    verifier: str
    max_age: int
    level: int = 0
    language: str = "id"

    @property
    def challenge(self) -> str:
        return text_of(hashlib.sha256(self.verifier.encode()).digest())


def text_of(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def parameters(provider: Provider, asking: Asking, redirect_uri: str) -> dict[str, str]:
    """Of the authorization request."""
    asked = {
        "response_type": "code",
        "client_id": provider.settings.client_id,
        "redirect_uri": redirect_uri,
        "scope": " ".join(provider.settings.scopes),
        "state": asking.state,
        "nonce": asking.nonce,
        "code_challenge": asking.challenge,
        "code_challenge_method": "S256",
        "max_age": str(asking.max_age),
        "ui_locales": asking.language,
    }
    if asking.max_age == 0:
        asked["prompt"] = "login"
    if asking.level > 0 and (acrs := provider.acrs_from(asking.level)):
        asked["acr_values"] = " ".join(acrs)
    return asked


def assertion(provider: Provider, own: OwnKey, audience: str, now: datetime) -> str:
    """Proves us at the provider (private_key_jwt); good once, for ASSERTION_SECONDS."""
    seconds = int(now.timestamp())
    claims: dict[str, Any] = {
        "iss": provider.settings.client_id,
        "sub": provider.settings.client_id,
        "aud": audience,
        "jti": str(uuid7()),
        "iat": seconds,
        "exp": seconds + ASSERTION_SECONDS,
    }
    header = {"alg": own.algorithm, "typ": "JWT", "kid": own.kid}
    return jwt.encode(header, claims, own.key, algorithms=[own.algorithm])


@dataclass(frozen=True)
class Answer:
    """What the browser brought back."""

    state: str
    code: str | None
    error: str | None
    issuer: str | None


def read_answer(pairs: Sequence[tuple[str, str]]) -> Answer:
    """Raises `ProviderDistrusted`: a parameter twice, too long, or neither code nor error."""
    given = dict(pairs)
    if len(given) != len(pairs) or any(
        len(value) > PARAMETER_LENGTH_MAX for value in given.values()
    ):
        raise ProviderDistrusted("A parameter came twice, or is too long.")
    answer = Answer(given.get("state", ""), given.get("code"), given.get("error"), given.get("iss"))
    if (answer.code is None) == (answer.error is None):
        raise ProviderDistrusted("The answer must hold either a code or an error.")
    return answer


def require_issuer(answer: Answer, issuer: str, *, is_told: bool) -> None:
    """Against mix-up (RFC 9207): `is_told`, the provider says that it names itself.

    Raises `ProviderDistrusted`.
    """
    if answer.issuer is None and not is_told:
        return
    if answer.issuer != issuer:
        raise ProviderDistrusted("iss is missing or names another provider.")


def usable_keys(document: Mapping[str, Any], algorithm: str) -> dict[str, Key]:
    """By `kid`, "" for one without: those of a JWKS that can verify `algorithm`, never a secret."""
    found: dict[str, Key] = {}
    listed = document.get("keys")
    for one in listed if isinstance(listed, list) else []:  # pyright: ignore[reportUnknownVariableType]
        key = _key(one, algorithm) if isinstance(one, dict) else None  # pyright: ignore[reportUnknownArgumentType]
        if key is not None:
            found[str(one.get("kid", ""))] = key  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType]
    return found


def _key(material: dict[str, Any], algorithm: str) -> Key | None:
    if material.get("use", "sig") != "sig" or material.get("alg", algorithm) != algorithm:
        return None
    try:
        return _point(material, algorithm) if algorithm in CURVES else _modulus(material)
    except (JoseError, ValueError, TypeError, KeyError):
        return None


def _point(material: dict[str, Any], algorithm: str) -> ECKey | None:
    if (material["kty"], material["crv"]) != ("EC", CURVES[algorithm]):
        return None
    key = ECKey.import_key({name: material[name] for name in ("kty", "crv", "x", "y")})
    _ = key.public_key  # the point is checked when the number is built
    return key


def _modulus(material: dict[str, Any]) -> RSAKey | None:
    key = RSAKey.import_key({name: material[name] for name in ("kty", "n", "e")})
    return key if key.public_key.key_size >= RSA_BITS_MIN else None


def kid_of(compact: str, algorithm: str) -> str:
    """Empty where the token names none. Raises `ProviderDistrusted`: not as it must be here."""
    parts = compact.split(".")
    if len(compact) > TOKEN_LENGTH_MAX or len(parts) != 3:
        raise ProviderDistrusted("The ID token is not a compact JWS.")
    header = _object(parts[0])
    # The key is chosen by us: whatever brings its own, or another algorithm, is refused unread.
    if header.get("alg") != algorithm or header.keys() - HEADER_MEMBERS:
        raise ProviderDistrusted("The header of the ID token is not what was agreed.")
    if str(header.get("typ", "JWT")).upper() != "JWT":
        raise ProviderDistrusted("It is a token of another type.")
    return str(header.get("kid", ""))


def _object(part: str) -> dict[str, Any]:
    try:
        raw = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
        found = json.loads(raw, object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise ProviderDistrusted("The ID token cannot be read.") from None
    if not isinstance(found, dict):
        raise ProviderDistrusted("The ID token holds no object.")
    return found  # pyright: ignore[reportUnknownVariableType]


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate member")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def claims_of(compact: str, key: Key, algorithm: str) -> dict[str, Any]:
    """Raises `ProviderDistrusted`: the signature is not this key's."""
    try:
        jws.deserialize_compact(compact, key, algorithms=[algorithm])
    except (JoseError, ValueError):
        raise ProviderDistrusted("The signature of the ID token is not the provider's.") from None
    return _object(compact.split(".")[1])


def proven(claims: Mapping[str, Any], provider: Provider, asking: Asking, now: datetime) -> Proven:
    """Raises `ProviderDistrusted`, the claim named."""
    client_id = provider.settings.client_id
    _require(claims.get("iss") == provider.issuer, "iss")
    _require(claims.get("aud") in (client_id, [client_id]), "aud")
    _require(claims.get("azp", client_id) == client_id, "azp")
    nonce = claims.get("nonce")
    # Ours are ASCII; a lone surrogate could not even be encoded.
    shown = nonce if isinstance(nonce, str) and nonce.isascii() else ""
    is_ours = hmac.compare_digest(shown, asking.nonce)
    _require(is_ours, "nonce")
    _require(_time(claims, "exp") > now - SKEW, "exp")
    _require(now - ISSUED_WITHIN < _time(claims, "iat") < now + SKEW, "iat")
    _require("nbf" not in claims or _time(claims, "nbf") < now + SKEW, "nbf")
    acr = claims.get("acr")
    return Proven(
        subject=_text(claims, "sub", SUBJECT_LENGTH_MAX),
        level=level_of(acr if isinstance(acr, str) else None, dict(provider.settings.acr_levels)),
        auth_time=_auth_time(claims, asking.max_age, now),
        nik=_nik(claims, provider.settings.nik_claim),
    )


def _require(is_good: bool, claim: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not is_good:
        raise ProviderDistrusted(f"The claim {claim} of the ID token is not as it must be.")


def _text(claims: Mapping[str, Any], name: str, longest: int) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= longest or not value.isprintable():
        raise ProviderDistrusted(f"The claim {name} of the ID token is no text of such length.")
    return value


def _time(claims: Mapping[str, Any], name: str) -> datetime:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ProviderDistrusted(f"The claim {name} of the ID token is not a time.")
    _require(0 <= value <= SECONDS_MAX, name)
    return datetime.fromtimestamp(value, UTC)


def _auth_time(claims: Mapping[str, Any], max_age: int, now: datetime) -> datetime:
    """When the person proved themself there; we asked for `max_age`, so it must be told."""
    told = _time(claims, "auth_time")
    _require(now - timedelta(seconds=max_age) - ISSUED_WITHIN < told < now + SKEW, "auth_time")
    return min(told, now)


def _nik(claims: Mapping[str, Any], name: str | None) -> str | None:
    if name is None or name not in claims:
        return None
    return _text(claims, name, CLAIM_LENGTH_MAX)
