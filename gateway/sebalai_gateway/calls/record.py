"""The evidence of one call while it happens (wiring, section 9).

Never in it: the raw path, bodies, header values, names of people.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from binascii import b2a_base64
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec
import orjson
from sebalai_shared.ids import RANDOM_BYTES, uuid7_text
from sebalai_shared.telemetry import Trace

SALT_BYTES = 32
ECHO_CHARACTERS = 128
CHANCE_BYTES = 4_096
_URLSAFE = bytes.maketrans(b"+/", b"-_")
LONG_SECONDS = 80.0
# Free text in X-Road-Id could carry a NIK; only a UUID is kept.
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")


# The journal's record in the order it is read; what decisions find out is filled in.
_BLANK: dict[str, Any] = dict.fromkeys(
    (
        "v", "message_id", "correlation_id", "trace_id", "requested_at", "method", "target_digest",
        "salt", "outcome", "status", "forwarded_at", "responded_at", "completed_at", "consumer",
        "client_id", "interface", "provider", "contract_sha256", "agreement", "rule", "purpose",
        "legal_basis", "problem", "request", "response",
    )
) | {"v": 1}  # fmt: skip


class _Chance:
    """Randomness of the system, fetched for many calls at once, because each time is a system call.
    No byte is given out twice; a forked process begins with its own.
    """

    def __init__(self) -> None:
        self._forget()
        os.register_at_fork(after_in_child=self._forget)

    def draw(self, count: int) -> bytes:
        if self._at + count > len(self._bytes):
            self._bytes, self._at = os.urandom(CHANCE_BYTES), 0
        begins, self._at = self._at, self._at + count
        return self._bytes[begins : self._at]

    def _forget(self) -> None:
        self._bytes, self._at = b"", 0


_CHANCE = _Chance()


class Call(msgspec.Struct):
    """What is known of the call so far; `facts` is its record, filled in by decisions.

    `began` is when it came, in nanoseconds since 1970; `name` is the message id; `parent` is the
    consumer's span, in whose trace the call is.
    """

    method: str
    trace_id: str
    began: int = msgspec.field(default_factory=time.time_ns)
    name: str = ""
    salt: bytes = b""
    correlation: str | None = None
    target: bytes = b""
    limits: list[tuple[bytes, bytes]] = []
    facts: dict[str, Any] = msgspec.field(default_factory=_BLANK.copy)
    deviations: list[str] | None = None
    # For what is counted: a call that ends without an outcome could not be journalled.
    outcome: str = "unrecorded"
    started: float = msgspec.field(default_factory=time.perf_counter)
    forwarded: float | None = None
    provider_seconds: float | None = None
    journal_seconds: float = 0.0
    parent: str | None = None
    _echo: str | None = None

    def __post_init__(self) -> None:
        chance = _CHANCE.draw(SALT_BYTES + RANDOM_BYTES)
        self.salt, self.name = chance[RANDOM_BYTES:], uuid7_text(self.began, chance[:RANDOM_BYTES])

    @property
    def message_id(self) -> UUID:
        return UUID(self.name)

    @property
    def span(self) -> str:
        """The call's own span in its trace: the second half of the message id."""
        return self.name[19:23] + self.name[24:]

    @property
    def trace(self) -> Trace:
        """The trace that begins with this call has the message id."""
        return Trace(self.name.replace("-", ""), self.span)

    def join(self, trace: Trace, traceparent: str | None) -> None:
        """`traceparent` is what the consumer said, of whom the trace is if it is another's."""
        self.trace_id = trace.trace_id
        if traceparent is not None and self.trace_id in traceparent:
            self.parent = traceparent.strip().split("-")[2]

    @property
    def requested_at(self) -> datetime:
        return datetime.fromtimestamp(self.began / 1e9, UTC)

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

    def stamp(self, name: str) -> str:
        """Notes the present as `name`: forwarded_at, responded_at or completed_at."""
        told = self.facts[name] = _text(time.time_ns() // 1_000_000)
        if name == "forwarded_at":
            self.forwarded = time.perf_counter()
        elif name == "responded_at" and self.forwarded is not None:
            self.provider_seconds = time.perf_counter() - self.forwarded
        return told

    def hold_back(self) -> None:
        """It was about to be forwarded, and was not."""
        self.forwarded = self.facts["forwarded_at"] = None

    def request_record(self, total_seconds: float) -> bytes:
        """The record of phase `requested`. A call that may outlast the journal's patience
        (reconciliation after 90 s) names its `deadline` there.
        """
        if total_seconds > LONG_SECONDS:
            self.facts["deadline"] = _text(self.began // 1_000_000 + int(total_seconds * 1e3))
        record = self.record("requested", None)
        self.facts.pop("deadline", None)
        return record

    def record(self, outcome: str, status: int | None) -> bytes:
        """The journal's record, with every field of the evidence payload and the salt."""
        facts = self.facts
        if facts["message_id"] is None:
            self._fix()
        facts["outcome"], facts["status"] = outcome, status
        if self.deviations:
            facts["deviations"] = self.deviations
        return orjson.dumps(facts)

    def _fix(self) -> None:
        """What both phases of a call say alike."""
        facts = self.facts
        facts["message_id"], facts["requested_at"] = self.name, _text(self.began // 1_000_000)
        facts["correlation_id"], facts["trace_id"] = self.correlation, self.trace_id
        facts["method"] = self.method
        facts["target_digest"] = hashlib.sha256(self.salt + self.target).hexdigest()
        facts["salt"] = b2a_base64(self.salt, newline=False).translate(_URLSAFE, b"=").decode()


@lru_cache(64)
def _text(milliseconds: int) -> str:
    """As `to_text` of the same moment since 1970; on a busy gateway many calls share one."""
    seconds, rest = divmod(milliseconds, 1_000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{rest:03d}Z"
