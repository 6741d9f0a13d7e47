"""Reads signed tokens of others strictly before any key is looked at: compact JWS, known header
members, no duplicate JSON members. Owns the form; what the claims must say is each kind's own.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from sebalai_identity.compact import ES256, es256_der
from sebalai_identity.oauth.errors import OAuthError, invalid_client

# Discovery publishes this list; keys of applications lie on P-256, which can sign nothing else.
ALGORITHMS = ("ES256",)
LENGTH_MAX = 8_192
KID_LENGTH_MAX = 128
KEYS_CACHED = 1_000


@dataclass(frozen=True)
class Expected:
    """One kind of token: its parameter's name, its types, the header members it may have, and the
    error of one that is otherwise. `default` is the type of one that names none.
    """

    name: str
    types: frozenset[str]
    members: frozenset[str]
    fault: Callable[[str], OAuthError]
    default: str | None = None


ASSERTION = Expected(
    "client_assertion",
    frozenset({"jwt", "client-authentication+jwt"}),
    frozenset({"alg", "typ", "kid"}),
    invalid_client,
    "jwt",
)


@dataclass(frozen=True)
class Unverified:
    """Well-formed, and nothing more: no signature was checked yet."""

    compact: str
    header: dict[str, Any]
    claims: dict[str, Any]

    @property
    def kid(self) -> str | None:
        return self.header.get("kid")


def read(compact: str, expected: Expected = ASSERTION) -> Unverified:
    """Raises `expected.fault` with what the client must do."""
    parts = compact.split(".")
    if len(compact) > LENGTH_MAX or len(parts) != 3 or not all(parts):
        raise expected.fault(f"{expected.name} must be a compact JWS of three parts.")
    try:
        header, claims = _object(parts[0]), _object(parts[1])
        _bytes(parts[2])
    except (ValueError, RecursionError) as error:
        raise expected.fault(
            f"{expected.name} must be base64url without padding, of JSON without duplicate members."
        ) from error
    _require_header(header, expected)
    return Unverified(compact, header, claims)


def _require_header(header: dict[str, Any], expected: Expected) -> None:
    if header.get("alg") not in ALGORITHMS:
        raise expected.fault(f"Sign {expected.name} with {' or '.join(ALGORITHMS)}.")
    strange = sorted(header.keys() - expected.members)
    if strange:
        allowed = ", ".join(sorted(expected.members))
        raise expected.fault(f"Leave {strange[0][:40]!r} out of the header: {allowed} only.")
    kind = header.get("typ", expected.default)
    if not isinstance(kind, str) or kind.lower() not in expected.types:
        raise expected.fault(f"{expected.name} has another type than {max(expected.types)}.")
    kid = header.get("kid", "")
    if not isinstance(kid, str) or len(kid) > KID_LENGTH_MAX or not kid.isprintable():
        raise expected.fault(f"kid is a text of at most {KID_LENGTH_MAX} printable characters.")


def is_signed_by(token: Unverified, key: dict[str, Any]) -> bool:
    """By a key on P-256; `read` let no other algorithm through."""
    signed, _, last = token.compact.rpartition(".")
    try:
        signature = es256_der(_bytes(last))
        point = _point(str(key["kty"]), str(key["crv"]), str(key["x"]), str(key["y"]))
        point.verify(signature, signed.encode(), ES256)
    except (JoseError, ValueError, KeyError, InvalidSignature):
        return False
    return True


@lru_cache(maxsize=KEYS_CACHED)
def _point(kty: str, crv: str, x: str, y: str) -> EllipticCurvePublicKey:
    """Whether it lies on the curve takes as long to find out as a signature. Raises `ValueError`,
    `JoseError`.
    """
    if (kty, crv) != ("EC", "P-256"):
        raise ValueError("another curve")
    return ECKey.import_key({"kty": kty, "crv": crv, "x": x, "y": y}).public_key


def claimed_subject(compact: str) -> str:
    """Whom a token says it is of, unproven; "" for what cannot be read."""
    try:
        return str(_object(compact[:LENGTH_MAX].split(".")[1]).get("sub", ""))
    except (ValueError, RecursionError, IndexError):
        return ""


def _bytes(part: str) -> bytes:
    if "=" in part:
        raise ValueError("padded")
    raw = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    # One spelling only: loose last bits would make many tokens of one.
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != part:
        raise ValueError("not canonical")
    return raw


def _object(part: str) -> dict[str, Any]:
    found = _DECODER.decode(_bytes(part).decode())
    if not isinstance(found, dict):
        raise ValueError("not an object")  # noqa: TRY004 - as every other malformed part
    return found  # pyright: ignore[reportUnknownVariableType]


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate member")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(name)


# One for all: `json.loads` would make another for every part it is given hooks for.
_DECODER = json.JSONDecoder(object_pairs_hook=_without_duplicates, parse_constant=_no_constant)
