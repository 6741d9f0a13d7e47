"""Wire shapes of public keys."""

from typing import Any

from pydantic import BaseModel


class KeySet(BaseModel):
    """A JWK set (RFC 7517)."""

    keys: list[dict[str, Any]]


class KeySnapshotRead(KeySet):
    version: int
