"""A signed exchange against its receipt: who signed request and answer, and that they are the ones
the receipt speaks of (RFC 9421 by ECDSA P-256, r1 section 4b).

The receipt has the signatures and salted digests of what was signed; the bases themselves stay with
the parties, because they hold the path.
"""

import base64
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePublicKey,
    EllipticCurvePublicNumbers,
)
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from sebalai_verifier.failures import VerificationError, malformed
from sebalai_verifier.receipt import Verified
from sebalai_verifier.strict import exact_object, from_base64url, read_json, string

FORMAT = "sebalai-signed-exchange/1"
SIDES = ("request", "response")
COORDINATE_BYTES, SIGNATURE_BYTES = 32, 64
_LINE = re.compile(r'("[^"]+"(?:;req)?): (.*)')
_DIGEST = re.compile(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):")


def check_exchange(verified: Verified, content: bytes, signers: bytes) -> dict[str, str]:
    """The thumbprint of who signed, by side.

    Raises `VerificationError`: malformed, unsigned, unknown-signer, signature, signed-otherwise.
    """
    document = exact_object(
        read_json(content, "the exchange"), {"format", *SIDES}, "the signed exchange"
    )
    if document["format"] != FORMAT:
        raise malformed(f"format must be {FORMAT}")
    noted: Mapping[str, Any] = verified.payload.get("signatures") or {}
    if not isinstance(noted, dict) or "request" not in noted:
        raise VerificationError("unsigned", "the receipt tells of no signature")
    keys = _keys(signers)
    found = {side: (noted.get(side), document[side]) for side in SIDES}
    return {
        side: _check_side(verified, side, evidence, given, keys)
        for side, (evidence, given) in found.items()
        if evidence is not None or given is not None
    }


def _check_side(
    verified: Verified,
    side: str,
    evidence: Any,
    given: Any,
    keys: Mapping[str, EllipticCurvePublicKey],
) -> str:
    if not isinstance(evidence, dict) or given is None:
        raise VerificationError("unsigned", f"receipt and exchange do not both tell of the {side}")
    noted = cast("dict[str, Any]", evidence)
    given = exact_object(given, {"base", "signature"}, f"the {side}")
    base = string(given["base"], f"the base of the {side}")
    value = from_base64url(string(given["signature"], "signature"), SIGNATURE_BYTES, "a signature")
    digest = sha256(verified.salt + base.encode()).hexdigest()
    if (noted.get("base_digest"), noted.get("value")) != (digest, given["signature"]):
        raise VerificationError("signed-otherwise", f"the receipt is of another signed {side}")
    thumbprint = string(noted.get("key"), "the key of a signature")
    if thumbprint not in keys:
        raise VerificationError("unknown-signer", f"no given key is {thumbprint}")
    r, s = (int.from_bytes(half) for half in (value[:COORDINATE_BYTES], value[COORDINATE_BYTES:]))
    try:
        keys[thumbprint].verify(encode_dss_signature(r, s), base.encode(), ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise VerificationError("signature", f"the {side} is not signed by this key") from error
    _check_words(verified.payload, side, base)
    return thumbprint


def _check_words(payload: Mapping[str, Any], side: str, base: str) -> None:
    """What was signed is what the receipt says of the call."""
    lines = [_LINE.fullmatch(line) for line in base.split("\n")]
    words = {line[1]: line[2] for line in lines if line}
    if side == "request":
        expected = {'"@method"': payload["method"], '"sebalai-purpose"': payload["purpose"]}
    else:
        number, status = payload["message_id"], str(payload["status"])
        expected = {'"x-road-request-id";req': number, '"@status"': status}
    for name, value in expected.items():
        if words.get(name) != value:
            raise VerificationError("signed-otherwise", f"{name} of the {side} and receipt differ")
    body: Mapping[str, Any] = payload.get(side) or {}
    if body.get("bytes") and _digest(words.get('"content-digest"', "")) != body.get("sha256"):
        raise VerificationError("signed-otherwise", f"the digest of the {side}'s body differs")


def _digest(text: str) -> str | None:
    found = _DIGEST.search(text)
    return base64.b64decode(found[1]).hex() if found else None


def _keys(content: bytes) -> dict[str, EllipticCurvePublicKey]:
    """The keys of a JWK set on P-256, by thumbprint (RFC 7638)."""
    document = read_json(content, "the key set")
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise malformed("the keys are no JWK set")
    return dict(_key(one) for one in cast("list[Any]", listed))


def _key(jwk: Any) -> tuple[str, EllipticCurvePublicKey]:
    if not isinstance(jwk, dict) or (jwk.get("kty"), jwk.get("crv")) != ("EC", "P-256"):
        raise malformed("a key is none on P-256")
    x, y = (string(jwk.get(name), name) for name in ("x", "y"))
    across, up = (
        int.from_bytes(from_base64url(part, COORDINATE_BYTES, "a key")) for part in (x, y)
    )
    canonical = f'{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}'.encode()
    thumbprint = base64.urlsafe_b64encode(sha256(canonical).digest()).decode().rstrip("=")
    try:
        return thumbprint, EllipticCurvePublicNumbers(across, up, SECP256R1()).public_key()
    except ValueError as error:
        raise malformed("a key is no point of P-256") from error
