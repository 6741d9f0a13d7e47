"""Wire shapes of interfaces."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self, cast
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from sebalai_exchange.names import InterfaceName, Line

ADDRESSES_MAX = 8
ADDRESS_LENGTH_MAX = 300
CONNECT_TIMEOUT_MS_MAX = 10_000
READ_TIMEOUT_MS_MAX = 60_000
TOTAL_TIMEOUT_MS_MAX = 300_000
REQUEST_BYTES_MAX = 1024**3
CONTRACT_DEPTH_MAX = 64
OPENAPI_VERSIONS = ("3.0.", "3.1.")

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


def _is_deeper_than(value: Any, depth: int) -> bool:
    """Whether objects and lists nest deeper; without recursion, because strangers write them."""
    layer: list[Any] = [value]
    for _ in range(depth + 1):
        inner: list[Any] = []
        for item in layer:
            if isinstance(item, dict):
                inner.extend(cast("dict[str, Any]", item).values())
            elif isinstance(item, list):
                inner.extend(cast("list[Any]", item))
        layer = inner
    return bool(layer)


def _contract(document: dict[str, Any]) -> dict[str, Any]:
    if _is_deeper_than(document, CONTRACT_DEPTH_MAX):
        raise ValueError(f"must not nest deeper than {CONTRACT_DEPTH_MAX} levels")
    version = document.get("openapi")
    if not isinstance(version, str) or not version.startswith(OPENAPI_VERSIONS):
        raise ValueError("openapi must name version 3.0.x or 3.1.x")
    info = document.get("info")
    if not isinstance(info, dict) or not {"title", "version"} <= info.keys():
        raise ValueError("info must hold title and version")
    if not isinstance(document.get("paths"), dict):
        raise ValueError("paths must be an object")  # noqa: TRY004 - pydantic reports ValueError
    return document


class Limits(BaseModel):
    model_config = ConfigDict(extra="forbid")

    connect_timeout_ms: int = Field(default=2_000, ge=100, le=CONNECT_TIMEOUT_MS_MAX)
    read_timeout_ms: int = Field(default=10_000, ge=100, le=READ_TIMEOUT_MS_MAX)
    total_timeout_ms: int = Field(default=30_000, ge=100, le=TOTAL_TIMEOUT_MS_MAX)
    max_request_bytes: int = Field(default=10 * 1024 * 1024, ge=0, le=REQUEST_BYTES_MAX)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.total_timeout_ms < max(self.connect_timeout_ms, self.read_timeout_ms):
            raise ValueError("total_timeout_ms must not be below the others")
        return self


class InterfacePublish(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: InterfaceName
    title: Line = "Tanpa judul"
    addresses: list[Address] = Field(min_length=1, max_length=ADDRESSES_MAX)
    contract: Annotated[dict[str, Any], AfterValidator(_contract)]
    member: Member | None = None
    limits: Limits = Field(default_factory=Limits)


class InterfaceRetire(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Line


class InterfaceRead(BaseModel):
    """`addresses` is null for callers that neither provide the interface nor operate the bus."""

    id: UUID
    name: str
    title: str
    provider: str
    agency: str
    addresses: list[str] | None
    member: str | None
    contract_sha256: str
    state: str
    limits: Limits
    published_at: datetime
    changed_at: datetime
