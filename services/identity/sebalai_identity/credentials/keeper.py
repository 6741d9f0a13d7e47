"""What every decision about credentials is handed, and where an attempt comes from."""

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta

from sebalai_shared.clock import Clock
from sebalai_shared.database import Database
from sebalai_shared.problems import Unavailable

from sebalai_identity.credentials.hashing import PasswordWorkers
from sebalai_identity.credentials.secrets import Secrets
from sebalai_identity.credentials.strength import Breached

NOTHING = timedelta(0)


class NoSignInKey(Unavailable):
    slug, title = "no-sealing-key", "This provider has no key to keep credentials with"


@dataclass(frozen=True)
class Keeper:
    """`database`: a sign-in counts the attempt, hashes, and notes the outcome in transactions of
    their own. One around all would hold a connection and a row's lock while argon2 works, and undo
    the count when the attempt fails.
    """

    database: Database
    clock: Clock
    workers: PasswordWorkers
    sealed_by: Secrets | None = None
    breached: Breached = field(default_factory=lambda: Breached(None))

    @property
    def secrets(self) -> Secrets:
        """Raises `NoSignInKey`."""
        if self.sealed_by is None:
            raise NoSignInKey("Set SEBALAI_SEALING_KEY_FILE of identity and start it again.")
        return self.sealed_by


@dataclass(frozen=True)
class Origin:
    """`network`: /24 or /48 of the address. `device`: the long-lived cookie of a browser that has
    signed in before; it opens nothing, it only tells the person's own browser from a stranger's.
    """

    network: str
    device: str | None = None

    @property
    def device_digest(self) -> bytes:
        return digest_of(self.device or "")


def digest_of(secret: str) -> bytes:
    """For secrets of 80 random bits or more: no salt and no slowness needed."""
    return hashlib.sha256(secret.encode()).digest()
