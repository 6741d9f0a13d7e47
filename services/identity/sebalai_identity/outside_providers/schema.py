"""Shapes of outside providers: what is asked for, and what other modules see of one."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from sebalai_identity.names import Slug
from sebalai_identity.wording import Reason, Title

ADDRESS_LENGTH_MAX = 300
ACRS_MAX = 20
SCOPES_MAX = 20
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(/[\w.~!$&()*+,;=:%/-]*)?", re.ASCII)

Algorithm = Literal["ES512", "ES384", "ES256", "PS256", "RS256"]
CLAIM_PATTERN = r"^[A-Za-z0-9_:/.-]{1,100}$"
PRINTABLE_PATTERN = r"^[\x21-\x7e]+$"
KEY_FILE_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,60}(\.[A-Za-z0-9_-]{1,20}){0,2}$"


def require_address(address: str) -> str:
    """An https address with a host, neither user nor fragment; http on this machine alone.

    Raises `ValueError`.
    """
    parts = urlsplit(address)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    is_whole = bool(parts.hostname) and parts.port != 0 and _ADDRESS.fullmatch(address)
    if not is_safe or not is_whole or len(address) > ADDRESS_LENGTH_MAX:
        raise ValueError("must be an https address without user, query and fragment")
    return address


def _require_issuer(issuer: str) -> str:
    if issuer.endswith("/"):
        raise ValueError("must be written as the provider writes it, without a closing slash")
    return require_address(issuer)


Text = Annotated[str, StringConstraints(pattern=PRINTABLE_PATTERN, max_length=200)]
ScopeName = Annotated[str, StringConstraints(pattern=PRINTABLE_PATTERN, max_length=100)]


class Label(BaseModel):
    """What people see on the button."""

    model_config = ConfigDict(extra="forbid")

    id: Title
    en: Title


class ProviderSettings(BaseModel):
    """`acr_levels`: what its `acr` is worth here; any other `acr`, or none, is worth 1.
    `key_file`: a private JWK in `OUTSIDE_KEYS_DIR`. `nik_claim`: the claim of its ID token that
    holds a NIK. `assertion_audience`: what the provider wants to read in `aud`.
    """

    model_config = ConfigDict(extra="forbid")

    issuer: Annotated[str, AfterValidator(_require_issuer)]
    client_id: Text
    key_file: Annotated[str, StringConstraints(pattern=KEY_FILE_PATTERN)]
    scopes: Annotated[list[ScopeName], Field(min_length=1, max_length=SCOPES_MAX)] = ["openid"]
    id_token_algorithm: Algorithm = "ES512"  # noqa: S105 - the name of an algorithm
    assertion_audience: Literal["issuer", "token_endpoint"] = "issuer"
    acr_levels: Annotated[dict[Text, Literal[1, 2, 3]], Field(max_length=ACRS_MAX)] = {}
    nik_claim: Annotated[str, StringConstraints(pattern=CLAIM_PATTERN)] | None = None
    label: Label


class ProviderAsk(ProviderSettings):
    slug: Slug


class ProviderDecide(BaseModel):
    model_config = ConfigDict(extra="forbid")

    decision: Literal["approve", "refuse"]
    reason: Reason


class ProviderDisable(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Reason


class ProviderRead(BaseModel):
    id: UUID
    slug: str
    settings: ProviderSettings
    state: str
    reason: str | None
    asked_by: str
    decided_by: str | None
    requested_at: datetime
    decided_at: datetime | None


@dataclass(frozen=True)
class Provider:
    """An enabled provider."""

    id: UUID
    slug: str
    settings: ProviderSettings

    @property
    def issuer(self) -> str:
        return self.settings.issuer

    def label(self, language: str) -> str:
        return self.settings.label.en if language == "en" else self.settings.label.id

    def acrs_from(self, level: int) -> list[str]:
        """Its names for `level` and better, the lowest first."""
        levels = self.settings.acr_levels
        return sorted((acr for acr in levels if levels[acr] >= level), key=lambda acr: levels[acr])


@dataclass(frozen=True)
class Attempt:
    """A sign-in under way. `person_id`: who asked to link; None where somebody signs in.
    `max_age` in seconds; `language` of the page it was begun on.
    """

    provider_id: UUID
    person_id: UUID | None
    interaction_id: str | None
    max_age: int
    language: str = "id"


@dataclass(frozen=True)
class Proven:
    """What a checked ID token says. `level` is ours, by the provider's `acr`."""

    subject: str
    level: int
    auth_time: datetime
    nik: str | None = None


@dataclass(frozen=True)
class Proof:
    """An identity that was proven and is not linked; the link waits for its person."""

    provider_id: UUID
    issuer: str
    subject_index: bytes
    has_nik: bool
    nik_person: UUID | None
    person_id: UUID | None


@dataclass(frozen=True)
class LinkedIdentity:
    """One that a person linked, as their own page shows it; `provider` None once disabled."""

    id: UUID
    issuer: str
    linked_at: datetime
    used_at: datetime | None
    provider: Provider | None
