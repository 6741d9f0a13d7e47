"""Calls as spans of OpenTelemetry, sent to the operator's collector (OTLP over HTTP, JSON).

A call waits for none of it: spans are kept until the next time they are sent, and what no collector
takes is lost and counted. Names of the routing table and words of our own, never a path.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

import orjson
from sebalai_shared import http
from sebalai_shared.process import every

from sebalai_gateway.calls.record import Call

log = logging.getLogger(__name__)

SEND_EACH_SECONDS = 1.0
SPANS_LIMIT = 8_192
PATH = "/v1/traces"
# From opentelemetry/proto/trace/v1/trace.proto.
_SERVER, _ERROR, _BROKEN = 2, 2, 500
_TOLD = ("message_id", "consumer", "agreement", "rule", "purpose", "problem")


class Spans:
    """`collector` is the base address of an OTLP receiver, such as `http://127.0.0.1:4318`."""

    def __init__(self, client: http.Client, collector: str) -> None:
        self._client, self._url = client, collector.rstrip("/") + PATH
        self._kept: list[dict[str, Any]] = []
        self._sending: asyncio.Task[None] | None = None
        self.lost = 0

    def start(self) -> None:
        self._sending = asyncio.create_task(every(SEND_EACH_SECONDS, self.send), name="spans")

    async def close(self) -> None:
        """Hands on what is left."""
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)
        await self.send()
        await self._client.aclose()

    def __call__(self, call: Call, status: int) -> None:
        """Keeps a call that is over; `status` 0 is an answer that never began."""
        if len(self._kept) >= SPANS_LIMIT:
            self.lost += 1
            return
        self._kept.append(_span(call, status))

    async def send(self) -> None:
        """Hands on what was kept since the last time."""
        kept, self._kept = self._kept, []
        if not kept:
            return
        headers = {"content-type": "application/json"}
        try:
            answer = await self._client.post(self._url, content=_document(kept), headers=headers)
            answer.raise_for_status()
        except http.Error as error:
            self.lost += len(kept)
            log.warning("%d spans are lost: %s", len(kept), type(error).__name__)


def _span(call: Call, status: int) -> dict[str, Any]:
    facts = call.facts
    told = {f"sebalai.{name}": facts[name] for name in _TOLD if facts[name] is not None}
    # Before a decision the interface is what the consumer wrote.
    route = facts["interface"] if facts["agreement"] else "/r1"
    named = {
        "http.request.method": call.method, "http.response.status_code": status,
        "http.route": route,
    }  # fmt: skip
    return {
        "traceId": call.trace_id,
        "spanId": call.span,
        "parentSpanId": call.parent or "",
        "name": f"{call.method} {route}",
        "kind": _SERVER,
        "startTimeUnixNano": str(call.began),
        "endTimeUnixNano": str(time.time_ns()),
        "attributes": [
            {"key": key, "value": _value(value)} for key, value in (named | told).items()
        ],
        "status": {"code": _ERROR} if status >= _BROKEN or not status else {},
    }


def _value(value: object) -> dict[str, str]:
    return {"intValue" if isinstance(value, int) else "stringValue": str(value)}


def _document(spans: list[dict[str, Any]]) -> bytes:
    resource = {"attributes": [{"key": "service.name", "value": _value("sebalai-gateway")}]}
    scoped = [{"scope": {"name": "sebalai_gateway"}, "spans": spans}]
    return orjson.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": scoped}]})
