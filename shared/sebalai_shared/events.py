"""The envelope of a fact: CloudEvents 1.0, structured JSON (wiring, section 11).

Facts hold ids and codes, never personal data; what they mean belongs to the member that owns them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from sebalai_shared.clock import from_text, to_text
from sebalai_shared.ids import uuid7

CONTENT_TYPE = "application/cloudevents+json"
SUBJECT_PREFIX = "sebalai."
EVENT_BYTES_LIMIT = 64 * 1024


class MalformedEvent(ValueError):
    """What arrived is not a CloudEvent we may act on."""


@dataclass(frozen=True, slots=True)
class Event:
    """A fact. `type` is `<owner>.<noun>.<past verb>.v<n>`; `subject` the ordering key, opaque."""

    type: str
    source: str
    subject: str
    data: dict[str, Any]
    time: datetime
    id: UUID = field(default_factory=uuid7)
    traceparent: str | None = None

    @property
    def nats_subject(self) -> str:
        return SUBJECT_PREFIX + self.type

    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = {
            "specversion": "1.0",
            "id": str(self.id),
            "type": self.type,
            "source": self.source,
            "subject": self.subject,
            "time": to_text(self.time),
            "datacontenttype": "application/json",
            "data": self.data,
        }
        if self.traceparent is not None:
            document["traceparent"] = self.traceparent
        return document

    def encode(self) -> bytes:
        return orjson.dumps(self.document())


def decode(body: bytes) -> Event:
    """Raises: MalformedEvent; one without an id is refused, because nothing could dedupe it."""
    if len(body) > EVENT_BYTES_LIMIT:
        raise MalformedEvent(f"larger than {EVENT_BYTES_LIMIT} bytes")
    try:
        document = orjson.loads(body)
        if document["specversion"] != "1.0":
            raise MalformedEvent("not CloudEvents 1.0")
        return Event(
            id=UUID(document["id"]),
            type=str(document["type"]),
            source=str(document["source"]),
            subject=str(document.get("subject", "")),
            time=from_text(document["time"]),
            data=dict(document.get("data") or {}),
            traceparent=document.get("traceparent"),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MalformedEvent(str(error)) from error
