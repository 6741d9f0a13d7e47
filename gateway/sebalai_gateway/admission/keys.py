"""The keys that access tokens are verified under, as the last snapshot named them."""

from __future__ import annotations

import base64
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePublicKey,
    EllipticCurvePublicNumbers,
)

log = logging.getLogger(__name__)

UNKNOWN_EACH_SECONDS = 10.0


class KeyStore:
    """Replaced whole by a newer snapshot; `generation` changes when it is."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._keys: dict[str, EllipticCurvePublicKey] = {}
        self._clock, self._asked_at = clock, float("-inf")
        self.version = -1
        self.generation = 0
        self.on_unknown: Callable[[], None] | None = None

    def replace(self, version: int, jwks: Iterable[Mapping[str, Any]]) -> bool:
        """Takes the keys of a newer version; an older or equal one changes nothing. A key that
        cannot be read is left out, so that one slip does not keep the others from being renewed.

        Raises: ValueError, when keys are listed and none of them can be read.
        """
        if version <= self.version:
            return False
        listed = list(jwks)
        keys = dict(filter(None, map(_read, listed)))
        if listed and not keys:
            msg = "no key of the list can be read"
            raise ValueError(msg)
        self._keys = keys
        self.version = version
        self.generation += 1
        return True

    def __len__(self) -> int:
        return len(self._keys)

    def get(self, kid: str) -> EllipticCurvePublicKey | None:
        """The key, or None; an unknown one asks for a fresh snapshot, at most every
        UNKNOWN_EACH_SECONDS, because random key ids must not become an attack.
        """
        key = self._keys.get(kid)
        if key is None and self.on_unknown is not None:
            now = self._clock()
            if now - self._asked_at >= UNKNOWN_EACH_SECONDS:
                self._asked_at = now
                self.on_unknown()
        return key

    def trusts(self, kid: str) -> bool:
        return kid in self._keys


def _read(jwk: object) -> tuple[str, EllipticCurvePublicKey] | None:
    """Key id and key, or None for what is no P-256 key of ours."""
    try:
        if not isinstance(jwk, Mapping) or jwk["kty"] != "EC" or jwk["crv"] != "P-256":
            return None
        return _text(jwk["kid"]), public_key(jwk)
    except (KeyError, TypeError, ValueError) as error:
        log.warning("a token key is left out: %s", type(error).__name__)
        return None


def _text(kid: object) -> str:
    if not isinstance(kid, str) or not kid:
        raise TypeError
    return kid


def public_key(jwk: Mapping[str, Any]) -> EllipticCurvePublicKey:
    x, y = (int.from_bytes(_decode(jwk[name])) for name in ("x", "y"))
    return EllipticCurvePublicNumbers(x, y, SECP256R1()).public_key()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
