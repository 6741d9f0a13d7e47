"""Reads a client assertion strictly before any key is looked at: compact JWS, known header members,
no duplicate JSON members. Owns the form; `assertion.py` owns what the claims must say.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from sebalai_identity.oauth.errors import invalid_client

# Discovery publishes this list; keys of applications lie on P-256, which can sign nothing else.
ALGORITHMS = ("ES256",)
TYPES = frozenset({"jwt", "client-authentication+jwt"})
HEADER_MEMBERS = frozenset({"alg", "typ", "kid"})
ASSERTION_LENGTH_MAX = 8_192
KID_LENGTH_MAX = 128


@dataclass(frozen=True)
class Unverified:
    """Well-formed, and nothing more: no signature was checked yet."""

    compact: str
    algorithm: str
    kid: str | None
    claims: dict[str, Any]


def read(assertion: str) -> Unverified:
    """Raises `OAuthError` invalid_client with what the client must do."""
    parts = assertion.split(".")
    if len(assertion) > ASSERTION_LENGTH_MAX or len(parts) != 3 or not all(parts):
        raise invalid_client("client_assertion must be a compact JWS of three parts.")
    header, claims = _object(parts[0]), _object(parts[1])
    _bytes(parts[2])
    _require_header(header)
    return Unverified(assertion, header["alg"], header.get("kid"), claims)


def _require_header(header: dict[str, Any]) -> None:
    if header.get("alg") not in ALGORITHMS:
        raise invalid_client(f"Sign the assertion with {' or '.join(ALGORITHMS)}.")
    strange = sorted(header.keys() - HEADER_MEMBERS)
    if strange:
        raise invalid_client(f"Leave {strange[0][:40]!r} out of the header: alg, typ, kid only.")
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower() not in TYPES:
        raise invalid_client("The token has another type than a client assertion (typ JWT).")
    kid = header.get("kid", "")
    if not isinstance(kid, str) or len(kid) > KID_LENGTH_MAX:
        raise invalid_client(f"kid must be a text of at most {KID_LENGTH_MAX} characters.")


def is_signed_by(assertion: Unverified, key: dict[str, Any]) -> bool:
    try:
        jws.deserialize_compact(
            assertion.compact, ECKey.import_key(key), algorithms=[assertion.algorithm]
        )
    except (JoseError, ValueError):
        return False
    return True


def _bytes(part: str) -> bytes:
    if "=" in part:
        raise invalid_client("client_assertion is not base64url without padding.")
    try:
        raw = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid_client("client_assertion is not base64url without padding.") from error
    return raw


def _object(part: str) -> dict[str, Any]:
    try:
        found = json.loads(
            _bytes(part), object_pairs_hook=_without_duplicates, parse_constant=_no_constant
        )
    except (ValueError, RecursionError) as error:
        raise invalid_client("Header and claims must be JSON without duplicate members.") from error
    if not isinstance(found, dict):
        raise invalid_client("Header and claims must be JSON objects.")
    return found  # pyright: ignore[reportUnknownVariableType]


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate member")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(name)
