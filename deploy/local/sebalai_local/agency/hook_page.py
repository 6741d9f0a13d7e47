"""A webhook address for trying things out, and a page that shows each attempt that came to it.

On loopback alone: what is shown may be personal. Nothing is kept beyond the newest attempts.
"""

from __future__ import annotations

import argparse
import hmac
import json
import sys
from collections import Counter, deque
from contextlib import suppress
from dataclasses import asdict, dataclass
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import time
from typing import Any, cast

from sebalai_shared.clock import SystemClock, to_text

from sebalai_local.agency.hook import key_of, signed
from sebalai_local.failures import Misuse
from sebalai_local.home import Home

ATTEMPTS_KEPT = 200
BODY_BYTES_MAX = 1024 * 1024
DIGITS_MAX = 12  # of a length or a time in a header
IDLE_SECONDS = 30.0
SKEW_SECONDS = 300  # Standard Webhooks: an older signature is refused
STATUS_FIRST, STATUS_LAST = 200, 599
PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="2">
<title>{count} attempts</title>
<style>body{{font:15px sans-serif;margin:2rem}}pre{{margin:0;white-space:pre-wrap}}
td,th{{text-align:left;vertical-align:top;padding:.3rem 1rem .3rem 0}}</style>
<h1>{count} attempts at {address}</h1>
<table><tr><th>at<th>event<th>try<th>signature<th>answered<th>body</tr>{rows}</table></html>"""
ROW = (
    "<tr><td>{at}<td>{event_id}<td>{number}<td>{signature}<td>{answered}<td><pre>{body}</pre></tr>"
)
GUARD = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class Arrived:
    at: str
    event_id: str
    number: int
    signature: str
    answered: int
    body: str


class Server(ThreadingHTTPServer):
    """`fail` posts are answered 500 before the others are answered `answer`."""

    daemon_threads = True

    def __init__(self, port: int, secret: str | None, answer: int, fail: int) -> None:
        self.key = None if secret is None else key_of(secret)
        self.answer, self.fail = answer, fail
        self.arrived: deque[Arrived] = deque(maxlen=ATTEMPTS_KEPT)
        self.tries: Counter[str] = Counter()
        super().__init__(("127.0.0.1", port), _Handler)
        self.address = f"http://127.0.0.1:{self.server_port}/hook"

    def take(self, headers: Any, body: bytes) -> Arrived:
        ident = headers.get("webhook-id", "-")
        if ident not in self.tries and len(self.tries) >= ATTEMPTS_KEPT:
            self.tries.clear()
        self.tries[ident] += 1
        status, self.fail = (500, self.fail - 1) if self.fail > 0 else (self.answer, 0)
        told = body.decode(errors="replace")
        found = Arrived(
            to_text(SystemClock().now()), ident, self.tries[ident],
            _judged(self.key, headers, body), status, told,
        )  # fmt: skip
        self.arrived.appendleft(found)
        return found


def _judged(key: bytes | None, headers: Any, body: bytes) -> str:
    """What a subscriber that checks as Standard Webhooks 1.0.0 says would find."""
    told = headers.get("webhook-signature", "")
    if key is None:
        return "not checked" if told else "none"
    stamp = headers.get("webhook-timestamp", "")
    is_number = stamp.isascii() and stamp.isdigit() and len(stamp) <= DIGITS_MAX
    if not is_number or abs(time() - int(stamp)) > SKEW_SECONDS:
        return "too old, or of no time"
    wanted = signed(key, headers.get("webhook-id", ""), int(stamp), body)["webhook-signature"]
    fits = [hmac.compare_digest(one.encode(), wanted.encode()) for one in told.split()]
    return "good" if any(fits) else "wrong"


class _Handler(BaseHTTPRequestHandler):
    timeout = IDLE_SECONDS

    @property
    def _page(self) -> Server:
        return cast("Server", self.server)

    def do_OPTIONS(self) -> None:
        """CloudEvents Webhook 1.0, section 4: this address agrees to be delivered to."""
        origin = self.headers.get("WebHook-Request-Origin", "*")
        self._say(200, headers={"WebHook-Allowed-Origin": origin})

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        is_number = length.isascii() and length.isdigit() and len(length) <= DIGITS_MAX
        if not is_number or int(length) > BODY_BYTES_MAX:
            self.close_connection = True
            self._say(413)
            return
        found = self._page.take(self.headers, self.rfile.read(int(length)))
        print(json.dumps(asdict(found), ensure_ascii=False), flush=True)
        self._say(found.answered)

    def do_GET(self) -> None:
        # A page elsewhere may make a name of its own point here, and would read what came.
        if self.headers.get("Host", "").rsplit(":", 1)[0] not in ("127.0.0.1", "localhost"):
            self._say(421)
            return
        arrived = list(self._page.arrived)
        cells = [{name: escape(str(told)) for name, told in asdict(one).items()} for one in arrived]
        rows = "".join(ROW.format(**one) for one in cells)
        page = PAGE.format(count=len(arrived), address=self._page.address, rows=rows).encode()
        self._say(200, page, {"Content-Type": "text/html; charset=utf-8"} | GUARD)

    def _say(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Attempts are printed as they are; nothing else is worth a line."""


def hook_page(_: Home, options: argparse.Namespace) -> int:
    if not STATUS_FIRST <= options.answer <= STATUS_LAST:
        raise Misuse(f"{options.answer} is no status to answer with.", "As 204, 410 or 500")
    with Server(options.port, options.secret, options.answer, options.fail) as server:
        shown = server.address.removesuffix("/hook")
        sys.stderr.write(f"address {server.address}, page {shown}/; Ctrl-C ends it\n")
        with suppress(KeyboardInterrupt):
            server.serve_forever()
    return 0
