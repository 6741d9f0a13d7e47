"""LIKE: % stands for any characters, _ for one, and a backslash takes either at its word.

Matched piece by piece from the left, so that no pattern costs more than its length times the
text's; as a regular expression, one of many % could take for ever over one text.
"""

import re
from collections.abc import Callable

_PIECE = re.compile(r"\\([%_])|(%)|(_)|(.)", re.DOTALL)


def like(pattern: str) -> Callable[[str], bool]:
    """Whether a whole text is as the pattern says."""
    pieces = _pieces(pattern)
    if len(pieces) == 1:
        whole = re.compile(pieces[0], re.DOTALL)
        return lambda text: whole.fullmatch(text) is not None
    first, last = re.compile(pieces[0], re.DOTALL), re.compile(f"(?:{pieces[-1]})\\Z", re.DOTALL)
    between = [re.compile(piece, re.DOTALL) for piece in pieces[1:-1]]
    tail = _width(pattern)

    def matches(text: str) -> bool:
        found = first.match(text)
        for piece in between:
            if found is None:
                return False
            found = piece.search(text, found.end())
        if found is None:
            return False
        begins = len(text) - tail
        return begins >= found.end() and last.match(text, begins) is not None

    return matches


def _pieces(pattern: str) -> list[str]:
    """What stands between the %, as regular expressions of a fixed width."""
    pieces = [""]
    for escaped, several, one, other in _PIECE.findall(pattern):
        if several:
            pieces.append("")
        else:
            pieces[-1] += "." if one else re.escape(escaped or other)
    return pieces


def _width(pattern: str) -> int:
    """How many characters the last piece has."""
    parts = _PIECE.findall(pattern)
    places = [number for number, part in enumerate(parts) if part[1]]
    return len(parts) - 1 - places[-1]
