"""An answer read at one glance: whole in the first bytes that come, its head in the plainest form.

Most answers are so. A line that was found sound once is known from then on; whatever is unusual in
the least is not judged here but left to `framing`, which reads everything.
"""

from __future__ import annotations

import re

Headers = list[tuple[bytes, bytes]]

HEAD_BYTES_LIMIT = 64 * 1024
HEADERS_LIMIT = 256
LINES_KNOWN = 4_096
LINE_BYTES_KNOWN = 128
_END, _BREAK = b"\r\n\r\n", b"\r\n"
_STATUS = re.compile(rb"HTTP/1\.1 ([2-5]\d\d) [\t -~]{0,64}\Z")
# A token, and visible characters with spaces between them (RFC 9110, section 5.5). Spaces behind a
# value the parser keeps, so that such a line is its matter. No space has two places to go: else a
# long row of them would be tried in each of its parts, for seconds.
_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*+((?:[!-~](?:[\t -~]*[!-~])?)?)\Z")
_LENGTH = re.compile(rb"[0-9]{1,15}\Z")
# What says how the body ends, or what may follow: more than a glance is needed.
_FRAMING = frozenset({b"transfer-encoding", b"upgrade", b"trailer", b"keep-alive"})
_BODILESS = frozenset({204, 205, 304})
# Only what tells nothing of a person stays in memory.
_KEPT = frozenset(
    {
        b"accept-ranges", b"cache-control", b"connection", b"content-length", b"content-type",
        b"date", b"server", b"vary", b"x-content-type-options", b"x-frame-options", b"x-powered-by",
    }
)  # fmt: skip


class Unusual(Exception):
    """Not to be read at a glance."""


class _Lines(dict[bytes, tuple[bytes, bytes]]):
    """Header lines, each with its name (in lower case) and value. Raises: Unusual."""

    def __missing__(self, line: bytes) -> tuple[bytes, bytes]:
        found = _LINE.match(line)
        if found is None:
            raise Unusual
        pair = found[1].lower(), found[2]
        if pair[0] in _FRAMING or not _is_usual(*pair):
            raise Unusual
        if pair[0] in _KEPT and len(line) <= LINE_BYTES_KNOWN:
            if len(self) >= LINES_KNOWN:
                self.clear()
            self[line] = pair
        return pair


class _Statuses(dict[bytes, int]):
    """First lines; at most one for each status and phrase that a provider may think of."""

    def __missing__(self, line: bytes) -> int:
        found = _STATUS.match(line)
        status = int(found[1]) if found is not None else 0
        if not status or status in _BODILESS:
            raise Unusual
        if len(self) < LINES_KNOWN:
            self[line] = status
        return status


_lines, _statuses = _Lines(), _Statuses()
_line = _lines.__getitem__


def glance(data: bytes) -> tuple[int, Headers, bytes] | None:
    """Status, headers and body of an answer to anything but HEAD, if `data` is all of it and
    nothing else; after such an answer the connection can be used again.
    """
    end = data.find(_END, 0, HEAD_BYTES_LIMIT)
    if end < 0:
        return None
    first, *lines = data[:end].split(_BREAK)
    if len(lines) > HEADERS_LIMIT:
        return None
    try:
        status, headers = _statuses[first], list(map(_line, lines))
    except Unusual:
        return None
    told = dict(headers)
    length = told.get(b"content-length")
    # One name twice may mean something.
    if length is None or len(told) < len(headers) or int(length) != len(data) - end - len(_END):
        return None
    return status, headers, data[end + len(_END) :]


def _is_usual(name: bytes, value: bytes) -> bool:
    match name:
        case b"connection":
            return value.lower() == b"keep-alive"
        case b"content-length":
            return _LENGTH.match(value) is not None
        case b"content-type":
            return not value.lower().startswith(b"text/event-stream")
        case _:
            return True
