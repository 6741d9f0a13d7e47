"""What a signature needs and gives, whoever holds the key: a file, a token, a remote service."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from sebalai_shared.problems import Unavailable

FIELD = "TandaTangan"

Profile = Literal["B-B", "B-T", "B-LT", "B-LTA"]
"""Levels of ETSI EN 319 142-1: signed; with trusted time; with all that validates it inside; and
with a timestamp over that, which is renewed.
"""

SignatureState = Literal["plain", "awaiting_timestamp", "timestamped", "preserved"]
"""`plain`: no timestamp was wanted. Of the others, the worker brings each on to the next."""


class SigningUnavailable(Unavailable):
    slug, title = "signing-unavailable", "The letter cannot be signed for the moment"


@dataclass(frozen=True, slots=True)
class Intent:
    """Who signs what for: it is written into the signature."""

    name: str
    position: str
    reason: str
    place: str


@dataclass(frozen=True, slots=True)
class Signed:
    """`serial` is the signing certificate's, in hex; `is_awaiting` that a timestamp was wanted and
    nobody gave it, so that it comes later.
    """

    pdf: bytes
    serial: str
    profile: Profile = "B-B"
    is_awaiting: bool = False


class TimestampUnavailable(Exception):
    """Nobody gave a timestamp that holds; what was to be stamped waits."""


class AugmentingFailed(Exception):
    """What the file needs cannot be added now; `slug` says why, in one word of ours."""

    def __init__(self, slug: str, detail: str) -> None:
        super().__init__(detail)
        self.slug = slug


@dataclass(frozen=True, slots=True)
class Augmented:
    """`stamped_at` and `good_until` are of the last timestamp: its time, its certificate's end."""

    pdf: bytes
    profile: Profile
    stamped_at: datetime
    good_until: datetime


class Augmenting(Protocol):
    """Adds to a signed file what keeps its signature provable; what was there stays as it was."""

    async def stamp(self, pdf: bytes) -> Augmented:
        """Trusted time alone. Raises: TimestampUnavailable, AugmentingFailed."""
        ...

    async def preserve(self, pdf: bytes) -> Augmented:
        """One timestamp more over all that validates what is there. Raises as `stamp`."""
        ...


class Signer(Protocol):
    async def sign(self, pdf: bytes, intent: Intent) -> Signed:
        """PAdES baseline. Raises: SigningUnavailable."""
        ...


class NoSigner:
    """Where no key was set up: says so, instead of making letters nobody signed."""

    async def sign(self, pdf: bytes, intent: Intent) -> Signed:  # noqa: ARG002 - the interface
        raise SigningUnavailable("The operator sets SEBALAI_SIGNING_KEY_FILE and its certificate.")
