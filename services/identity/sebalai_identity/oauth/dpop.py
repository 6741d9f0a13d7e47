"""DPoP proofs (RFC 9449) at this provider: the key they show, checked; and the nonces they answer.

Nonces follow from a secret and the time, so nothing is stored and every process knows them. They
live one to two NONCE_PERIODs, and bound how long a proof made in advance is good.
"""

import base64
import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from sebalai_identity.oauth import jose, store
from sebalai_identity.oauth.certificates import Certificate
from sebalai_identity.oauth.desk import Desk
from sebalai_identity.oauth.errors import OAuthError
from sebalai_identity.oauth.families import thumb

NONCE_PERIOD_SECONDS = 60
SKEW_SECONDS = 30
PURPOSE = "dpop-nonce-1"
JTI_LENGTH_MAX = 128
HEADER = "DPoP-Nonce"
PUBLIC_MEMBERS = frozenset({"kty", "crv", "x", "y", "kid", "alg", "use"})


def bad_proof(description: str) -> OAuthError:
    return OAuthError("invalid_dpop_proof", description)


PROOF = jose.Expected("DPoP", frozenset({"dpop+jwt"}), frozenset({"alg", "typ", "jwk"}), bad_proof)


@dataclass(frozen=True)
class Call:
    """What a request is at HTTP: `url` as the client wrote it, without query."""

    method: str
    url: str
    proof: str | None = None
    certificate: Certificate | None = None
    source: str = ""


def nonce_at(desk: Desk, at: datetime) -> str:
    period = int(at.timestamp()) // NONCE_PERIOD_SECONDS
    mac = hmac.digest(desk.ring.secret(PURPOSE), str(period).encode(), "sha256")
    return base64.urlsafe_b64encode(mac[:18]).decode()


async def check(desk: Desk, call: Call, token: str | None = None) -> str | None:
    """The thumbprint of the key that signed the proof; None when none was sent.

    `token`: the access token the proof must be made for. Raises `OAuthError` invalid_dpop_proof or
    use_dpop_nonce.
    """
    if call.proof is None:
        return None
    proof = jose.read(call.proof, PROOF)
    jwk = _public_key(proof.header.get("jwk"))
    if not jose.is_signed_by(proof, jwk):
        raise bad_proof("The proof is not signed by its own key.")
    _check_claims(desk, call, proof.claims, token)
    thumbprint = ECKey.import_key(jwk).thumbprint()
    kept_until = datetime.fromtimestamp(
        int(desk.now.timestamp()) + 2 * NONCE_PERIOD_SECONDS + SKEW_SECONDS, desk.now.tzinfo
    )
    if not await store.use_once(desk.session, thumbprint, proof.claims["jti"], kept_until):
        raise bad_proof("This jti was used before; sign a new proof for each request.")
    return thumbprint


def _public_key(jwk: Any) -> dict[str, Any]:
    if not isinstance(jwk, dict) or not jwk.keys() <= PUBLIC_MEMBERS:  # pyright: ignore[reportUnknownMemberType]
        raise bad_proof("The header must hold the public key as jwk, and no private member.")
    if jwk.get("kty") != "EC" or jwk.get("crv") != "P-256":
        raise bad_proof("The key must lie on P-256.")
    material: dict[str, str | list[str]] = {
        name: str(jwk.get(name)) for name in ("kty", "crv", "x", "y")
    }
    try:
        _ = ECKey.import_key(material).public_key
    except (JoseError, ValueError, TypeError) as error:
        raise bad_proof("jwk is not a point of P-256.") from error
    return material


def _check_claims(desk: Desk, call: Call, claims: dict[str, Any], token: str | None) -> None:
    jti, iat = claims.get("jti"), claims.get("iat")
    if not isinstance(jti, str) or not 0 < len(jti) <= JTI_LENGTH_MAX or not jti.isprintable():
        raise bad_proof(f"jti must be a text of 1 to {JTI_LENGTH_MAX} printable characters.")
    if claims.get("htm") != call.method or not _is_same(claims.get("htu"), call.url):
        raise bad_proof(f"htm and htu must be {call.method} and {call.url}")
    if isinstance(iat, bool) or not isinstance(iat, int | float):
        raise bad_proof("iat must be a number of seconds.")
    now = desk.now.timestamp()
    if not now - 2 * NONCE_PERIOD_SECONDS - SKEW_SECONDS <= iat <= now + SKEW_SECONDS:
        raise bad_proof("iat lies too far from our time; set the clock of the machine.")
    if token is not None and claims.get("ath") != thumb(token):
        raise bad_proof("ath must be the hash of the access token.")
    _check_nonce(desk, claims.get("nonce"))


def _check_nonce(desk: Desk, nonce: Any) -> None:
    present = int(desk.now.timestamp())
    times = (present, present - NONCE_PERIOD_SECONDS)
    good = [nonce_at(desk, datetime.fromtimestamp(at, desk.now.tzinfo)) for at in times]
    # `compare_digest` takes no text beyond ASCII: such a one is no nonce of ours either.
    is_ours = isinstance(nonce, str) and nonce.isascii()
    if not is_ours or not any(hmac.compare_digest(nonce, one) for one in good):
        raise OAuthError(
            "use_dpop_nonce",
            f"Repeat with the nonce of header {HEADER}.",
            headers={HEADER: good[0]},
        )


def _is_same(htu: Any, url: str) -> bool:
    """RFC 9449 4.3: without query and fragment; scheme, host and default port normalised."""
    if not isinstance(htu, str):
        return False
    try:
        return _normal(htu) == _normal(url)
    except ValueError:
        return False


def _normal(url: str) -> tuple[str, str | None, int | None, str]:
    parts = urlsplit(url)
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, parts.hostname, parts.port or usual, parts.path
