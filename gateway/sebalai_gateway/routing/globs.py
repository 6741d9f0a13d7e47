r"""Path globs of rules: `*` stands for any characters in one segment, `**` for any across segments,
`\*` for a literal star. Each is compiled to one linear-time expression when a table is loaded.

`/a/**` matches `/a/` and everything below it, but not `/a` itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable

GLOB_LENGTH_MAX = 512
# Two neighbouring wildcards would make a backtracking matcher try every split between them.
_STARS = re.compile(r"\*{2,}")
_PIECE = re.compile(r"\\\*|\*+|[^\\*]+|\\")


def check_glob(pattern: str) -> None:
    """Raises: ValueError: the glob is too long or does not begin with a slash."""
    if len(pattern) > GLOB_LENGTH_MAX or not pattern.startswith("/"):
        msg = f"a glob begins with / and has at most {GLOB_LENGTH_MAX} characters"
        raise ValueError(msg)


def compile_glob(pattern: str) -> Callable[[str], bool]:
    """A matcher of whole paths.

    Raises:
        ValueError: the glob is too long or does not begin with a slash.
    """
    check_glob(pattern)
    pieces = _PIECE.findall(pattern)
    if all(not piece.startswith("*") for piece in pieces):
        literal = "".join(_literal(piece) for piece in pieces)
        return literal.__eq__
    if _STARS.fullmatch(pieces[-1]) and all(not piece.startswith("*") for piece in pieces[:-1]):
        literal = "".join(_literal(piece) for piece in pieces[:-1])
        return lambda path: path.startswith(literal)
    return _Matcher([_part(piece) for piece in pieces])


def _literal(piece: str) -> str:
    return "*" if piece == r"\*" else piece


def _part(piece: str) -> tuple[str, str]:
    if _STARS.fullmatch(piece):
        return "deep", ""
    return ("wide", "") if piece == "*" else ("text", _literal(piece))


class _Matcher:
    """Walks the set of positions the path can be at: O(path × parts), never exponential."""

    def __init__(self, parts: list[tuple[str, str]]) -> None:
        self._parts = parts

    def __call__(self, path: str) -> bool:
        positions = {0}
        for kind, text in self._parts:
            positions = self._step(path, positions, kind, text)
            if not positions:
                return False
        return len(path) in positions

    def _step(self, path: str, positions: set[int], kind: str, text: str) -> set[int]:
        if kind == "text":
            return {at + len(text) for at in positions if path.startswith(text, at)}
        if kind == "deep":
            return set(range(min(positions), len(path) + 1))
        # The first position in a segment reaches all that later ones there do.
        reached: set[int] = set()
        passed = -1
        for at in sorted(positions):
            if at > passed:
                end = path.find("/", at)
                passed = len(path) if end < 0 else end
                reached.update(range(at, passed + 1))
        return reached
