"""The head of a message as it is sent: a first line, and a line for each header.

Whoever wrote a value, it is one line or the message is not sent: what follows a line's end would be
another header, or another message.
"""

from __future__ import annotations

from collections.abc import Sequence

_BREAKS = b"\r\n\0"
_line = b": ".join


class NotOneLine(ValueError):
    """A value would begin another line."""


def head_of(first: bytes, headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    """`first` with its end of line. Raises: NotOneLine."""
    said = first + b"\r\n".join((*map(_line, headers), b"", b""))
    # Each line has two such bytes, so that one more anywhere is one too many.
    if len(said) - len(said.translate(None, _BREAKS)) != 2 * len(headers) + 4:
        msg = "a header has more than one line"
        raise NotOneLine(msg)
    return said
