"""The routing snapshot as exchange writes it (wiring, section 7), decoded and typed."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Rule(msgspec.Struct, frozen=True):
    id: str
    method: str
    path: str


class Purpose(msgspec.Struct, frozen=True):
    code: str
    legal_basis: str


class Interface(msgspec.Struct, frozen=True):
    id: str
    name: str
    provider: str
    agency: str
    addresses: list[str]
    contract_sha256: str | None = None
    state: str = "active"
    member: str | None = None
    connect_timeout_ms: int = 2_000
    read_timeout_ms: int = 10_000
    total_timeout_ms: int = 30_000
    max_request_bytes: int = 10 * 1024 * 1024


class Agreement(msgspec.Struct, frozen=True):
    id: str
    consumer: str
    interface: str
    rules: list[Rule]
    purposes: list[Purpose]
    valid_from: datetime
    valid_until: datetime
    quota_per_day: int
    rate_per_second: float
    burst: int
    series: str = ""
    quota_per_month: int | None = None
    min_assurance: int = 0
    bound_addresses: tuple[str, ...] = ()
    bound_certificates: tuple[str, ...] = ()


class Group(msgspec.Struct, frozen=True):
    """Consumers an agreement names together; each has the agreement's limits for itself."""

    name: str
    members: list[str]


class Snapshot(msgspec.Struct, frozen=True):
    version: int
    instance: str
    interfaces: list[Interface]
    agreements: list[Agreement]
    groups: list[Group] = []


_DECODER = msgspec.json.Decoder(Snapshot)


def decode(payload: bytes) -> Snapshot:
    """Raises: ValueError, when a field is missing or of another type."""
    return _DECODER.decode(payload)
