"""Keys and tokens as NATS writes them: an account's key, and JWTs signed by it.

NATS names keys by base32 with a kind and a CRC-16, and its JWTs by the algorithm `ed25519-nkey`,
which no JOSE library knows (nats-io/nkeys; nats-architecture-and-design ADR-14, ADR-26).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_ACCOUNT, _SEED = 0, 18 << 3
_SEED_BYTES, _CRC_BYTES = 32, 2
_HEADER = {"typ": "JWT", "alg": "ed25519-nkey"}


class MalformedSeedError(Exception):
    """The text is no seed of an account (`SA…`)."""


class AccountKey:
    def __init__(self, seed: bytes) -> None:
        """`seed` is 32 random bytes."""
        self._seed, self._key = seed, Ed25519PrivateKey.from_private_bytes(seed)

    @classmethod
    def from_seed(cls, text: str) -> AccountKey:
        """Raises `MalformedSeedError`."""
        try:
            raw = base64.b32decode(text + "=" * (-len(text) % 8))
        except ValueError as error:
            raise MalformedSeedError("this is no base32") from error
        if len(raw) != 2 + _SEED_BYTES + _CRC_BYTES:
            raise MalformedSeedError("this is too short or too long")
        found = cls(raw[2:-_CRC_BYTES])
        if found.seed != text:  # of another kind, or with a wrong letter
            raise MalformedSeedError("this is no seed of an account")
        return found

    @property
    def seed(self) -> str:
        """The secret as text, `SA…`."""
        return _text(bytes([_SEED, _ACCOUNT]) + self._seed)

    @property
    def public(self) -> str:
        """The name the broker knows it by, `A…`."""
        raw = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return _text(bytes([_ACCOUNT]) + raw)

    def sign(self, claims: Mapping[str, Any]) -> str:
        """A JWT of `claims`, issued by this key."""
        whole = {**claims, "iss": self.public}
        whole["jti"] = _base32(hashlib.new("sha512_256", orjson.dumps(whole)).digest())
        body = f"{_part(orjson.dumps(_HEADER))}.{_part(orjson.dumps(whole))}"
        return f"{body}.{_part(self._key.sign(body.encode()))}"


def _crc(body: bytes) -> bytes:
    return binascii.crc_hqx(body, 0).to_bytes(_CRC_BYTES, "little")


def _text(body: bytes) -> str:
    return _base32(body + _crc(body))


def _base32(raw: bytes) -> str:
    return base64.b32encode(raw).decode().rstrip("=")


def _part(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
