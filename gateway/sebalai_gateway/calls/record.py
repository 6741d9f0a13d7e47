"""The evidence of one call while it happens (wiring, section 9).

Never in it: the raw path, bodies, header values, names of people.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
from sebalai_shared.clock import to_text
from sebalai_shared.ids import uuid7

SALT_BYTES = 32
ECHO_CHARACTERS = 128
LONG_SECONDS = 80.0
# Free text in X-Road-Id could carry a NIK; only a UUID is kept.
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")


@dataclass(slots=True)
class Call:
    """What is known of the call so far; `facts` holds the fields that decisions fill in.

    `name` is the message id as text.
    """

    method: str
    trace_id: str
    message_id: UUID = field(default_factory=uuid7)
    name: str = ""
    salt: bytes = field(default_factory=lambda: os.urandom(SALT_BYTES))
    requested_at: datetime = field(default_factory=lambda: datetime.now(UTC))  # noqa: TID251
    correlation: str | None = None
    target: bytes = b""
    limits: list[tuple[bytes, bytes]] = field(default_factory=list[tuple[bytes, bytes]])
    facts: dict[str, Any] = field(default_factory=dict[str, Any])
    # For what is counted: a call that ends without an outcome could not be journalled.
    outcome: str = "unrecorded"
    started: float = field(default_factory=time.perf_counter)
    forwarded: float | None = None
    provider_seconds: float | None = None
    journal_seconds: float = 0.0
    _echo: str | None = None
    _fixed: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        self.name = str(self.message_id)

    @property
    def elapsed(self) -> float:
        """Seconds since the call came."""
        return time.perf_counter() - self.started

    def correlate(self, x_road_id: str | None) -> None:
        """Keeps a UUID for the record; whatever came is echoed, if it is of ordinary size."""
        if x_road_id is None:
            return
        if _UUID.match(x_road_id):
            self.correlation = x_road_id.lower()
        if x_road_id.isprintable() and 0 < len(x_road_id) <= ECHO_CHARACTERS:
            self._echo = x_road_id

    @property
    def x_road_id(self) -> bytes:
        """What `X-Road-Id` says on both sides: the consumer's, else the message id."""
        return (self._echo or self.name).encode("latin-1")

    def stamp(self, name: str) -> int:
        """Notes the present as `name`: forwarded_at, responded_at or completed_at. In nanoseconds
        since 1970.
        """
        now = time.time_ns()
        self.facts[name] = _text(now)
        if name == "forwarded_at":
            self.forwarded = time.perf_counter()
        elif name == "responded_at" and self.forwarded is not None:
            self.provider_seconds = time.perf_counter() - self.forwarded
        return now

    def request_record(self, total_seconds: float) -> bytes:
        """The record of phase `requested`. A call that may outlast the journal's patience
        (reconciliation after 90 s) names its `deadline` there.
        """
        if total_seconds > LONG_SECONDS:
            self.facts["deadline"] = to_text(self.requested_at + timedelta(seconds=total_seconds))
        record = self.record("requested", None)
        self.facts.pop("deadline", None)
        return record

    def record(self, outcome: str, status: int | None) -> bytes:
        """The journal's record, with every field of the evidence payload and the salt."""
        if self._fixed is None:
            self._fixed = self._make_fixed()
        document = {**self._fixed, "outcome": outcome, "status": status}
        for name in _FACTS:
            document[name] = self.facts.get(name)
        if self.facts.get("deviations"):
            document["deviations"] = self.facts["deviations"]
        if "signatures" in self.facts:
            document["signatures"] = self.facts["signatures"]
        if "upload" in self.facts:
            document["upload"] = self.facts["upload"]
        if "onward" in self.facts:
            document["onward"] = self.facts["onward"]
        if "deadline" in self.facts:
            document["deadline"] = self.facts["deadline"]
        return orjson.dumps(document)

    def _make_fixed(self) -> dict[str, Any]:
        """What both phases of a call say alike."""
        return {
            "v": 1,
            "message_id": self.name,
            "correlation_id": self.correlation,
            "trace_id": self.trace_id,
            "requested_at": to_text(self.requested_at),
            "method": self.method,
            "target_digest": hashlib.sha256(self.salt + self.target).hexdigest(),
            "salt": base64.urlsafe_b64encode(self.salt).decode().rstrip("="),
        }


def _text(now: int) -> str:
    """As `to_text` of the same moment, at a third of its price."""
    seconds, rest = divmod(now // 1_000_000, 1_000)
    return f"{_second(seconds)}.{rest:03d}Z"


@lru_cache(8)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


_FACTS = (
    "forwarded_at", "responded_at", "completed_at", "consumer", "client_id", "interface",
    "provider", "contract_sha256", "agreement", "rule", "purpose", "legal_basis", "problem",
    "request", "response",
)  # fmt: skip
