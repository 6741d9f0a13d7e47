"""Wire shapes of peers."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from sebalai_exchange.names import InterfaceName, Line

KEYS_MAX = 10
OFFERS_MAX = 500
PEERS_MAX = 100

Instance = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}-[A-Z]{2}$")]
Coordinate = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{43}$")]
GatewayUrl = Annotated[
    str, StringConstraints(max_length=200, pattern=r"^https?://[A-Za-z0-9.:\[\]-]+$")
]
LedgerKey = Annotated[
    str, StringConstraints(pattern=r"^[^\s+]{1,200}\+[0-9a-f]{8}\+[A-Za-z0-9+/=]{44}$")
]


class PeerKey(BaseModel):
    """As the peer's well-known directory tells it; other members are passed over."""

    model_config = ConfigDict(extra="ignore")

    kty: Literal["EC"]
    crv: Literal["P-256"]
    x: Coordinate
    y: Coordinate
    kid: Annotated[str, StringConstraints(min_length=1, max_length=128)]


class PeerWanted(BaseModel):
    """Everything that is trusted of the other instance, whole: what is left out is trusted no more.

    `offers` are interfaces of ours that its applications may have agreements for.
    """

    model_config = ConfigDict(extra="forbid")

    gateway: GatewayUrl
    keys: list[PeerKey] = Field(min_length=1, max_length=KEYS_MAX)
    ledger_key: LedgerKey
    offers: list[InterfaceName] = Field(default_factory=list, max_length=OFFERS_MAX)


class PeerEnd(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Line


class PeerRead(BaseModel):
    instance: str
    gateway: str
    keys: list[PeerKey]
    ledger_key: str
    offers: list[str]
    state: Literal["active", "ended"]
    reason: str | None
    changed_by: str
    changed_at: datetime


class PeerList(BaseModel):
    items: list[PeerRead]
