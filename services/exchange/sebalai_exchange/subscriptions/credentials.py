"""Credentials of direct subscriptions: told once, kept as a digest, replaced by the next.

A password is 32 random bytes, so its digest needs no salt and no slow function: there is nothing
to guess from.
"""

import base64
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

PASSWORD_BYTES = 32


@dataclass(frozen=True)
class Direct:
    """A direct subscription that has not ended, and where it begins: `starts_at` by our clock,
    `placed_at` by the broker's once that was asked for. `issue` counts credentials.
    """

    ident: UUID
    starts_at: datetime
    issue: int
    placed_at: datetime | None = None

    @property
    def user(self) -> str:
        """As it connects; the number tells who came by an older credential."""
        return f"{self.ident}.{self.issue}"


def new_password() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(PASSWORD_BYTES)).decode().rstrip("=")


def digest_of(password: str) -> bytes:
    return sha256(password.encode()).digest()


def fits(password: str, digest: bytes | None) -> bool:
    return digest is not None and hmac.compare_digest(digest_of(password), digest)
