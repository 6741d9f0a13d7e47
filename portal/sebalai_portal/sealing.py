"""What a browser keeps for the portal: sealed (JWE, A256GCM), so that it is neither read nor
changed there. The portal has no database; a session is the cookie itself, and identity ends it.
"""

from __future__ import annotations

from typing import TypeVar

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from pydantic import BaseModel, ValidationError

MANNER = {"alg": "dir", "enc": "A256GCM"}
SEALED_LENGTH_MAX = 3_500
"""A browser keeps a cookie of 4,096 bytes with its name and marks (RFC 6265 section 6.1)."""

Shape = TypeVar("Shape", bound=BaseModel)


class Sealer:
    def __init__(self, secret: bytes) -> None:
        self._key = OctKey.import_key(secret)

    def seal(self, content: BaseModel) -> str:
        """Raises: ValueError for more than a cookie holds."""
        header = {**MANNER, "typ": type(content).__name__}
        sealed = jwe.encrypt_compact(header, content.model_dump_json().encode(), self._key)
        if len(sealed) > SEALED_LENGTH_MAX:
            raise ValueError("this is more than a cookie holds")
        return sealed

    def open(self, sealed: str | None, shape: type[Shape]) -> Shape | None:
        """None for what we did not seal as this shape."""
        if not sealed or len(sealed) > SEALED_LENGTH_MAX:
            return None
        try:
            found = jwe.decrypt_compact(sealed, self._key, algorithms=list(MANNER.values()))
            if found.headers().get("typ") != shape.__name__ or found.plaintext is None:
                return None
            return shape.model_validate_json(found.plaintext)
        except (JoseError, ValidationError, ValueError):
            return None
