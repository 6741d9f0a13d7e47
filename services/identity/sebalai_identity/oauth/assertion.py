"""What the claims of a client assertion must say (RFC 7523 section 3, and wiring section 4).

Pure: no clock, no storage. Whether its `jti` was used before is the grant's to find out.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sebalai_identity.oauth.errors import invalid_client

LIFETIME = timedelta(seconds=300)
FUTURE = timedelta(seconds=10)
JTI_LENGTH_MAX = 128
SECONDS_MAX = 253_402_300_799


@dataclass(frozen=True)
class Claims:
    client_id: UUID
    jti: str
    expires_at: datetime


def check(claims: dict[str, Any], issuer: str, now: datetime) -> Claims:
    """Raises `OAuthError` invalid_client."""
    # A string, not a list: one assertion for two servers could be replayed at the second.
    if claims.get("aud") != issuer:
        raise invalid_client(f"aud must be the issuer as a string: {issuer}")
    return Claims(_client_id(claims), _jti(claims), _expiry(claims, now))


def _client_id(claims: dict[str, Any]) -> UUID:
    subject = claims.get("sub")
    if not isinstance(subject, str) or claims.get("iss") != subject:
        raise invalid_client("iss and sub must both be the client_id.")
    try:
        client_id = UUID(subject)
    except ValueError as error:
        raise invalid_client("iss and sub must both be the client_id, a UUID.") from error
    if str(client_id) != subject:
        raise invalid_client("Write the client_id as it was given: lower case, with hyphens.")
    return client_id


def _jti(claims: dict[str, Any]) -> str:
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= JTI_LENGTH_MAX or not jti.isprintable():
        raise invalid_client(f"jti must be a text of 1 to {JTI_LENGTH_MAX} printable characters.")
    return jti


def _expiry(claims: dict[str, Any], now: datetime) -> datetime:
    expires_at = _time(claims, "exp")
    if expires_at is None:
        raise invalid_client("exp is missing.")
    if expires_at <= now:
        raise invalid_client("The assertion has expired; sign a new one for each request.")
    if expires_at - now > LIFETIME:
        raise invalid_client(f"exp may be at most {int(LIFETIME.total_seconds())} s ahead.")
    for name in ("iat", "nbf"):
        at = _time(claims, name)
        if at is not None and at - now > FUTURE:
            raise invalid_client(f"{name} lies in the future; set the clock of the machine.")
    return expires_at


def _time(claims: dict[str, Any], name: str) -> datetime | None:
    if name not in claims:
        return None
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise invalid_client(f"{name} must be a number of seconds.")
    if not 0 <= value <= SECONDS_MAX:
        raise invalid_client(f"{name} is not a time.")
    return datetime.fromtimestamp(value, UTC)
