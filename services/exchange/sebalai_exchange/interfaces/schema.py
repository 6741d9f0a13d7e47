"""Wire shapes of interfaces."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from sebalai_exchange.interfaces.appearance import Credential, TrustAnchors
from sebalai_exchange.names import InterfaceName, Line

ADDRESSES_MAX = 8
ADDRESS_LENGTH_MAX = 300
CONNECT_TIMEOUT_MS_MAX = 10_000
READ_TIMEOUT_MS_MAX = 60_000
TOTAL_TIMEOUT_MS_MAX = 300_000
REQUEST_BYTES_MAX = 1024**3
CONCURRENCY_MAX = 4_096

Member = Literal["identity", "catalog", "archive", "exchange"]


def _address(address: str) -> str:
    """Only the form; where an address may point is judged when the gateway connects."""
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:
        raise ValueError("must be an http or https address with a host")
    if parts.username is not None or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("must not hold a user, a query or a fragment")
    return address.rstrip("/")


Address = Annotated[
    str,
    StringConstraints(max_length=ADDRESS_LENGTH_MAX, pattern=r"^[\x21-\x7e]+$"),
    AfterValidator(_address),
]


Mode = Literal["off", "monitor", "enforce"]


class Validation(BaseModel):
    """How calls are held against the contract: not at all, noted, or refused where they differ."""

    model_config = ConfigDict(extra="forbid")

    requests: Mode = "off"
    responses: Mode = "off"

    @property
    def is_on(self) -> bool:
        return (self.requests, self.responses) != ("off", "off")


class Limits(BaseModel):
    """`max_concurrency` is how many calls a gateway worker has with the provider at once."""

    model_config = ConfigDict(extra="forbid")

    connect_timeout_ms: int = Field(default=2_000, ge=100, le=CONNECT_TIMEOUT_MS_MAX)
    read_timeout_ms: int = Field(default=10_000, ge=100, le=READ_TIMEOUT_MS_MAX)
    total_timeout_ms: int = Field(default=30_000, ge=100, le=TOTAL_TIMEOUT_MS_MAX)
    max_request_bytes: int = Field(default=10 * 1024 * 1024, ge=0, le=REQUEST_BYTES_MAX)
    max_concurrency: int = Field(default=512, ge=1, le=CONCURRENCY_MAX)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.total_timeout_ms < max(self.connect_timeout_ms, self.read_timeout_ms):
            raise ValueError("total_timeout_ms must not be below the others")
        return self


Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class InterfacePublish(BaseModel):
    """The contract itself, or the digest of one uploaded before (for those above 1 MiB).

    `accept_breaks` publishes although consumers of the former version will notice. `trust_anchors`
    (PEM) take the place of the system's where the provider's certificate is checked.
    """

    model_config = ConfigDict(extra="forbid")

    name: InterfaceName
    title: Line = "Tanpa judul"
    addresses: list[Address] = Field(min_length=1, max_length=ADDRESSES_MAX)
    contract: dict[str, Any] | None = None
    contract_sha256: Digest | None = None
    accept_breaks: bool = False
    validation: Validation = Field(default_factory=Validation)
    member: Member | None = None
    limits: Limits = Field(default_factory=Limits)
    trust_anchors: TrustAnchors = ""
    credential: Credential | None = None

    @field_validator("credential")
    @classmethod
    def _kept_secret(cls, value: Credential | None, info: ValidationInfo) -> Credential | None:
        addresses = info.data.get("addresses", [])
        if value is not None and not all(one.startswith("https://") for one in addresses):
            raise ValueError("needs https addresses: the secret would travel in the clear")
        if value is not None and info.data.get("member") is not None:
            raise ValueError("members of the platform know the gateway by its assertion")
        return value

    @model_validator(mode="after")
    def _one_contract(self) -> Self:
        if (self.contract is None) == (self.contract_sha256 is None):
            raise ValueError("give either contract or contract_sha256 (of POST /v1/contracts)")
        return self


class InterfaceRetire(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Line


class InterfaceDeprecate(BaseModel):
    """`successor` is the interface to move to."""

    model_config = ConfigDict(extra="forbid")

    sunset_at: AwareDatetime
    successor: InterfaceName | None = None


class ContractDiff(BaseModel):
    model_config = ConfigDict(extra="forbid")

    contract: dict[str, Any]


class ContractDiffRead(BaseModel):
    contract_sha256: str
    is_same: bool
    breaks: list[str]


class ContractRead(BaseModel):
    sha256: str
    version: str
    operations: int


class VersionRead(BaseModel):
    number: int
    contract_sha256: str
    contract_version: str
    breaks: list[str]
    published_by: str
    published_at: datetime


class VersionList(BaseModel):
    """Newest first, at most 100."""

    items: list[VersionRead]


class InterfaceRead(BaseModel):
    """`addresses`, `trust_anchors` and `credential` are null for callers that neither provide the
    interface nor operate the bus.
    """

    id: UUID
    name: str
    title: str
    provider: str
    agency: str
    addresses: list[str] | None
    member: str | None
    contract_sha256: str
    contract_version: int
    validation: Validation
    deprecated_at: datetime | None
    sunset_at: datetime | None
    successor: str | None
    state: str
    limits: Limits
    trust_anchors: str | None
    credential: Credential | None
    published_at: datetime
    changed_at: datetime
