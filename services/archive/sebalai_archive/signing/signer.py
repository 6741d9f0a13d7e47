"""What a signature needs and gives, whoever holds the key: a file, a token, a remote service."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from pydantic import SecretStr
from sebalai_shared.problems import Conflict, Forbidden, Unavailable

FIELD = "TandaTangan"

Profile = Literal["B-B", "B-T", "B-LT", "B-LTA"]
"""Levels of ETSI EN 319 142-1: signed; with trusted time; with all that validates it inside; and
with a timestamp over that, which is renewed.
"""

SignatureState = Literal["plain", "awaiting_timestamp", "timestamped", "preserved"]
"""`plain`: no timestamp was wanted. Of the others, the worker brings each on to the next."""


class SigningUnavailable(Unavailable):
    slug, title = "signing-unavailable", "The letter cannot be signed for the moment"


class PassphraseWrong(Forbidden):
    slug, title = "passphrase-wrong", "The passphrase is wrong"


class SignerLocked(Forbidden):
    slug, title = "signer-locked", "The signer's account at the certificate provider is locked"


class SignerUnknown(Forbidden):
    slug, title = "signer-unknown", "The certificate provider does not know the signer"


class CertificateEnded(Conflict):
    slug, title = "certificate-ended", "The signer's certificate has ended or was revoked"


@dataclass(frozen=True, slots=True)
class Unlock:
    """What a remote service wants of the person who signs. It passes through one call and is
    neither stored, logged nor repeated: both texts show as stars wherever they are printed.
    """

    nik: SecretStr
    passphrase: SecretStr


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
    async def sign(self, pdf: bytes, intent: Intent, unlock: Unlock | None = None) -> Signed:
        """PAdES baseline; `unlock` where a remote service holds the person's own key.

        Raises: SigningUnavailable, and with unlock PassphraseWrong, SignerLocked, SignerUnknown,
        CertificateEnded; FieldInvalid when it is needed and missing.
        """
        ...


class NoSigner:
    """Where no key was set up: says so, instead of making letters nobody signed."""

    async def sign(
        self,
        pdf: bytes,  # noqa: ARG002 - the interface
        intent: Intent,  # noqa: ARG002
        unlock: Unlock | None = None,  # noqa: ARG002
    ) -> Signed:
        raise SigningUnavailable("The operator sets SEBALAI_SIGNING_KEY_FILE and its certificate.")
