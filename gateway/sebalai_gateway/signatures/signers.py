"""The keys applications sign messages with, as identity told them last; `routing.feeds` keeps them
fresh, so that no call waits for another service and a key that is taken away is gone within 2 s.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from sebalai_gateway.admission.keys import public_key


@dataclass(slots=True)
class Signer:
    """One key; read when it is first asked for, because of thousands few sign in an hour."""

    thumbprint: str
    until: int | None
    _jwk: Mapping[str, Any]
    _key: EllipticCurvePublicKey | None = None

    @property
    def key(self) -> EllipticCurvePublicKey:
        """Raises: ValueError, KeyError, TypeError, when it is no key on P-256."""
        if self._key is None:
            self._key = public_key(self._jwk)
        return self._key


class Signers:
    """Replaced whole by another version; a gateway knows none until identity was heard."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock, self.version = clock, -1
        self._signers: dict[tuple[str, str], Signer] = {}

    def replace(self, version: int, keys: Iterable[Mapping[str, Any]]) -> bool:
        """False when this version is what is known. Raises: KeyError, TypeError."""
        if version == self.version:
            return False
        found = dict[tuple[str, str], Signer]()
        for key in keys:
            signer = Signer(str(key["thumbprint"]), key["until"], key["jwk"])
            for name in (key["thumbprint"], key["kid"]):
                found[str(key["application"]), str(name)] = signer
        self._signers, self.version = found, version
        return True

    def find(self, application: str, keyid: str) -> Signer | None:
        """The application's own key of that id or thumbprint, if it may sign now."""
        signer = self._signers.get((application, keyid))
        if signer is None or (signer.until is not None and signer.until <= self._clock()):
            return None
        return signer
