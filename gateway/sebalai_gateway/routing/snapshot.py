"""The routing snapshot as exchange writes it (wiring, section 7), decoded and typed."""

from __future__ import annotations

from datetime import datetime

import msgspec

# A call that lasts longer than the journal's patience names its own deadline there.
TOTAL_MS_LIMIT = 6 * 3_600_000


class Rule(msgspec.Struct, frozen=True, gc=False):
    id: str
    method: str
    path: str


class Purpose(msgspec.Struct, frozen=True, gc=False):
    code: str
    legal_basis: str


class Credential(msgspec.Struct, frozen=True):
    """By which secret the gateway appears before the provider: `header` names it for that kind."""

    kind: str
    id: str
    header: str | None = None


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
    max_concurrency: int = 512
    validate_requests: str = "off"
    validate_responses: str = "off"
    deprecated_at: int | None = None
    sunset_at: int | None = None
    trust_anchors: str = ""
    credential: Credential | None = None

    @property
    def total_seconds(self) -> float:
        """The bound on a whole exchange, itself bounded."""
        return min(self.total_timeout_ms, TOTAL_MS_LIMIT) / 1000

    @property
    def is_checked(self) -> bool:
        """Whether calls are held against its contract."""
        return not self.validate_requests == self.validate_responses == "off"


class Agreement(msgspec.Struct, frozen=True, gc=False):
    id: str
    consumer: str
    interface: str
    rules: tuple[Rule, ...]
    purposes: tuple[Purpose, ...]
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
    signing: str = "none"


class Group(msgspec.Struct, frozen=True):
    """Consumers an agreement names together; each has the agreement's limits for itself."""

    name: str
    members: list[str]


class Peer(msgspec.Struct, frozen=True):
    """Another instance: the keys its gateway signs with, and what it may call here."""

    instance: str
    gateway: str
    keys: list[dict[str, str]]
    offers: frozenset[str] = frozenset()


class Gone(msgspec.Struct, frozen=True):
    """What a change takes away, by name; agreements by id."""

    interfaces: list[str] = []
    agreements: list[str] = []
    peers: list[str] = []


class Snapshot(msgspec.Struct, frozen=True):
    """Whole when `after` is 0, else what changed since that version."""

    version: int
    instance: str
    interfaces: list[Interface]
    agreements: list[Agreement]
    groups: list[Group] = []
    peers: list[Peer] = []
    after: int = 0
    gone: Gone = Gone()


class Head(msgspec.Struct, frozen=True):
    """Enough of a snapshot to know what to do with it."""

    version: int
    after: int = 0


_HEAD = msgspec.json.Decoder(Head)
_DECODER = msgspec.json.Decoder(Snapshot)


def decode(payload: bytes) -> Snapshot:
    """Raises: ValueError, when a field is missing or of another type."""
    return _DECODER.decode(payload)


def decode_head(payload: bytes) -> Head:
    """Raises: ValueError, when there is no version."""
    return _HEAD.decode(payload)
