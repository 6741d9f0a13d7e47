"""Our own keys towards outside providers: private JWKs on elliptic curves, one file each."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from sebalai_shared.problems import Unavailable

ALGORITHMS = {"P-521": "ES512", "P-384": "ES384", "P-256": "ES256"}


class KeyMissing(Unavailable):
    slug, title = "outside-key-missing", "The key towards this provider cannot be read"


@dataclass(frozen=True)
class OwnKey:
    key: ECKey
    algorithm: str

    @property
    def kid(self) -> str:
        """RFC 7638."""
        return self.key.thumbprint()

    def public(self) -> dict[str, Any]:
        own: dict[str, Any] = dict(self.key.as_dict(private=False))
        return own | {"kid": self.kid, "alg": self.algorithm, "use": "sig"}


class KeyFolder:
    """`folder` None: nothing can be asked of any outside provider."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def load(self, name: str) -> OwnKey:
        """Raises `KeyMissing`. `name` has the pattern of `schema`: it leads out of no folder."""
        if self._folder is None:
            raise KeyMissing("Set SEBALAI_OUTSIDE_KEYS_DIR of identity and start it again.")
        try:
            made = json.loads((self._folder / name).read_text(encoding="utf-8"))
            key = ECKey.import_key(made)
        except (OSError, ValueError, TypeError, KeyError, JoseError):
            raise KeyMissing(f"There is no private JWK {name} among the keys.") from None
        algorithm = ALGORITHMS.get(key.curve_name)
        if not key.is_private or algorithm is None:
            raise KeyMissing(f"{name} must be private, on {', '.join(ALGORITHMS)}.")
        return OwnKey(key, algorithm)
