"""An expression's words and signs, with where each begins."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sebalai_exchange.cesql.tree import ExpressionInvalidError

KEYWORDS = frozenset({"AND", "OR", "XOR", "NOT", "LIKE", "EXISTS", "IN", "TRUE", "FALSE"})

# A backslash takes the next character with it, so that \' ends no text.
_TOKEN = re.compile(
    r"""[ \t\r\n]*(?:
      (?P<integer>[0-9]+(?![A-Za-z0-9_]))
    | (?P<word>[A-Za-z0-9_]+)
    | (?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    | (?P<sign><=|>=|<>|!=|[-+*/%=<>(),])
    | (?P<end>\Z)
    )""",
    re.VERBOSE | re.DOTALL,
)

TokenKind = Literal["integer", "keyword", "word", "text", "sign", "end"]


@dataclass(frozen=True, slots=True)
class Token:
    """`text` of a keyword is in capitals, of a text without its quotes; `at` counts from 1."""

    kind: TokenKind
    text: str
    at: int


def tokens(expression: str) -> Iterator[Token]:
    """All of them, the last of kind `end`. Raises: ExpressionInvalidError."""
    place = 0
    while True:
        found = _TOKEN.match(expression, place)
        if found is None:
            raise _unreadable(expression, place)
        token = _token(found)
        yield token
        if token.kind == "end":
            return
        place = found.end()


def _token(found: re.Match[str]) -> Token:
    kind = str(found.lastgroup)
    text, at = found[kind], found.start(kind) + 1
    if kind == "word" and text.upper() in KEYWORDS:
        return Token("keyword", text.upper(), at)
    if kind == "text":
        quote = text[0]
        return Token("text", text[1:-1].replace(f"\\{quote}", quote), at)
    return Token(kind, text, at)  # pyright: ignore[reportArgumentType] - the groups' names


def _unreadable(expression: str, place: int) -> ExpressionInvalidError:
    rest = expression[place:].lstrip(" \t\r\n")
    at = len(expression) - len(rest) + 1
    if rest[0] in "'\"":
        return ExpressionInvalidError(at, "a text without its closing quote")
    return ExpressionInvalidError(at, f"{rest[0]!r} has no meaning here")
