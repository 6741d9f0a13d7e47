"""Traces, logs and counts. A trace id travels over HTTP and NATS (W3C Trace Context);
logs are JSON lines that carry it; metrics are counted by route template.

Never here: raw paths, header values, bodies.
"""

from __future__ import annotations

import contextvars
import json
import logging
import os
import sys
import time
from datetime import UTC, datetime
from typing import Any, NamedTuple

from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REQUESTS = Counter("http_requests_total", "Answered requests", ["route", "method", "status"])
SECONDS = Histogram("http_request_seconds", "Time to answer", ["route", "method"])

_TRACEPARENT_PARTS = 4


class Trace(NamedTuple):
    """W3C Trace Context: 32 hex digits of trace id, 16 of the span we are in."""

    trace_id: str
    span_id: str

    @property
    def traceparent(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-01"


_current: contextvars.ContextVar[Trace | None] = contextvars.ContextVar("trace", default=None)


def current_trace() -> Trace | None:
    return _current.get()


def enter_trace(traceparent: str | None, begins: Trace | None = None) -> Trace:
    """Joins the trace named by a `traceparent`, or begins one; it holds for the running task.
    `begins`: our span, and the trace that is begun where none is joined; without it by chance.
    """
    if begins is None:
        fresh = os.urandom(24).hex()
        begins = Trace(fresh[:32], fresh[32:])
    joined = _trace_id(traceparent)
    trace = begins if joined is None else Trace(joined, begins.span_id)
    _current.set(trace)
    return trace


def _is_hex(text: str, length: int) -> bool:
    return len(text) == length and all(c in "0123456789abcdef" for c in text)


def _trace_id(traceparent: str | None) -> str | None:
    """The trace id of a valid `traceparent`; anything else starts anew, as the standard says."""
    if not traceparent:
        return None
    parts = traceparent.strip().split("-")
    if len(parts) != _TRACEPARENT_PARTS or not _is_hex(parts[0], 2) or parts[0] == "ff":
        return None
    valid = _is_hex(parts[1], 32) and parts[1] != "0" * 32
    return parts[1] if valid and _is_hex(parts[2], 16) else None


class JsonFormatter(logging.Formatter):
    """One JSON object a line. Extra fields are given as `extra={"fields": {...}}`."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        trace = current_trace()
        if trace is not None:
            line["trace_id"] = trace.trace_id
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def configure_logging(level: str) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for chatty in ("httpx", "httpcore", "alembic.runtime.plugins"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


class TelemetryMiddleware:
    """Enters the caller's trace, names it in the answer, counts by route template."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        trace = enter_trace(headers.get(b"traceparent", b"").decode("latin-1"))
        started, status = time.perf_counter(), 500

        async def send_traced(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message.get("headers", []),
                    (b"sebalai-trace", trace.trace_id.encode()),
                ]
            await send(message)

        try:
            await self._app(scope, receive, send_traced)
        finally:
            _count(scope, status, time.perf_counter() - started)


def _count(scope: Scope, status: int, seconds: float) -> None:
    route = getattr(scope.get("route"), "path", "unmatched")
    REQUESTS.labels(route, scope["method"], str(status)).inc()
    SECONDS.labels(route, scope["method"]).observe(seconds)
