"""What a signature needs and gives, whoever holds the key: a file, a token, a remote service."""

from dataclasses import dataclass
from typing import Protocol

from sebalai_shared.problems import Unavailable

FIELD = "TandaTangan"


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
    """`serial` is the signing certificate's, in hex."""

    pdf: bytes
    serial: str


class Signer(Protocol):
    async def sign(self, pdf: bytes, intent: Intent) -> Signed:
        """PAdES baseline. Raises: SigningUnavailable."""
        ...


class NoSigner:
    """Where no key was set up: says so, instead of making letters nobody signed."""

    async def sign(self, pdf: bytes, intent: Intent) -> Signed:  # noqa: ARG002 - the interface
        raise SigningUnavailable("The operator sets SEBALAI_SIGNING_KEY_FILE and its certificate.")
