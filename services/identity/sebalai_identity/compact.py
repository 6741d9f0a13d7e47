"""Compact JWS by ES256 (RFC 7515, RFC 7518 3.4), straight on the library of the curve: a grant
signs two and reads one, and a general library's checks cost it more than the signatures.
"""

import base64
from functools import lru_cache
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256

ES256 = ECDSA(SHA256())
HALF_BYTES = 32
HEADERS_CACHED = 64


def sign_es256(kind: str, kid: str, claims: dict[str, Any], key: EllipticCurvePrivateKey) -> str:
    signed = _header(kind, kid) + b"." + _url(orjson.dumps(claims))
    r, s = decode_dss_signature(key.sign(signed, ES256))
    signature = r.to_bytes(HALF_BYTES) + s.to_bytes(HALF_BYTES)
    return (signed + b"." + _url(signature)).decode()


def es256_der(signature: bytes) -> bytes:
    """As the library reads it. Raises `ValueError` for one of another length."""
    if len(signature) != 2 * HALF_BYTES:
        raise ValueError("another length")
    r, s = signature[:HALF_BYTES], signature[HALF_BYTES:]
    return encode_dss_signature(int.from_bytes(r), int.from_bytes(s))


@lru_cache(maxsize=HEADERS_CACHED)
def _header(kind: str, kid: str) -> bytes:
    return _url(orjson.dumps({"alg": "ES256", "typ": kind, "kid": kid}))


def _url(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")
