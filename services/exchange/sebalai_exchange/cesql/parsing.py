"""From text to tree: operator precedence as section 3.6 has it.

NOT binds closer than any comparison, as the specification says and unlike SQL. AND, OR and XOR are
of one precedence: from left to right by the specification, from right to left by its grammar, AND
first in SQL. So different ones must not stand side by side without brackets (ADR 0030).
"""

from collections.abc import Mapping

from sebalai_exchange.cesql.casts import is_integer
from sebalai_exchange.cesql.tokens import Token, tokens
from sebalai_exchange.cesql.tree import (
    Attribute,
    Binary,
    Call,
    Constant,
    Exists,
    ExpressionInvalidError,
    In,
    Like,
    Node,
    Unary,
)

LENGTH_MAX = 2_000
DEPTH_MAX = 32
TERMS_MAX = 200

_LOGIC, _COMPARED, _ADDED, _MULTIPLIED, _IN, _LIKE, _UNARY = range(1, 8)
_LOGICAL = ("AND", "OR", "XOR")
_BINARY: Mapping[str, int] = {
    **dict.fromkeys(_LOGICAL, _LOGIC),
    **dict.fromkeys(("=", "!=", "<>", ">=", "<=", "<", ">"), _COMPARED),
    **dict.fromkeys(("+", "-"), _ADDED),
    **dict.fromkeys(("*", "/", "%"), _MULTIPLIED),
}
_SETS: Mapping[str, int] = {"IN": _IN, "LIKE": _LIKE}


def parse(expression: str) -> Node:
    """Raises: ExpressionInvalidError."""
    if len(expression) > LENGTH_MAX:
        raise ExpressionInvalidError(LENGTH_MAX + 1, f"at most {LENGTH_MAX} characters")
    return _Parser(expression).whole()


class _Parser:
    def __init__(self, expression: str) -> None:
        self._tokens = list(tokens(expression))
        self._place, self._depth, self._terms = 0, 0, 0

    def whole(self) -> Node:
        found = self._expression(0)
        if self._next.kind != "end":
            raise self._unexpected("an operator or the end")
        return found

    @property
    def _next(self) -> Token:
        return self._tokens[self._place]

    def _take(self) -> Token:
        token = self._next
        self._place += 1
        return token

    def _unexpected(self, wanted: str) -> ExpressionInvalidError:
        found = "the end" if self._next.kind == "end" else repr(self._next.text)
        return ExpressionInvalidError(self._next.at, f"{wanted} expected, not {found}")

    def _is(self, text: str) -> bool:
        return self._next.kind in ("sign", "keyword") and self._next.text == text

    def _expect(self, text: str) -> None:
        if not self._is(text):
            raise self._unexpected(repr(text))
        self._take()

    def _expression(self, least: int) -> Node:
        """Everything that binds closer than `least`."""
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise ExpressionInvalidError(self._next.at, f"nests deeper than {DEPTH_MAX} levels")
        left, logic = self._prefix(), ""
        while (operator := self._infix(least)) is not None:
            if operator in _LOGICAL:
                logic = self._same(logic or operator, operator)
            left = self._joined(left, operator)
        self._depth -= 1
        return left

    def _same(self, before: str, operator: str) -> str:
        """One alone gives the same from either side; a mixture does not."""
        if before != operator:
            detail = f"put brackets around {before} or {operator}: engines differ on which is first"
            raise ExpressionInvalidError(self._next.at, detail)
        return operator

    def _infix(self, least: int) -> str | None:
        """The operator that comes next, if it binds closer than `least`; NOT LIKE is one."""
        token = self._next
        if token.kind not in ("sign", "keyword"):
            return None
        if token.text == "NOT":
            behind = self._tokens[self._place + 1]
            power = _SETS.get(behind.text, 0) if behind.kind == "keyword" else 0
            return f"NOT {behind.text}" if power > least else None
        power = _BINARY.get(token.text) or _SETS.get(token.text, 0)
        return token.text if power > least else None

    def _joined(self, left: Node, operator: str) -> Node:
        for _ in operator.split():
            self._take()
        self._count()
        if operator in _BINARY:
            return Binary(operator, left, self._expression(_BINARY[operator]))
        found = self._like(left) if operator.endswith("LIKE") else In(left, self._listed())
        return Unary("NOT", found) if operator.startswith("NOT") else found

    def _like(self, left: Node) -> Node:
        if self._next.kind != "text":
            raise self._unexpected("a pattern in quotes")
        self._count()
        return Like(left, self._take().text)

    def _listed(self) -> tuple[Node, ...]:
        """Expressions in brackets, at least one."""
        self._expect("(")
        found = [self._expression(0)]
        while self._is(","):
            self._take()
            found.append(self._expression(0))
        self._expect(")")
        return tuple(found)

    def _prefix(self) -> Node:
        self._count()
        if self._is("("):
            self._take()
            inner = self._expression(0)
            self._expect(")")
            return inner
        token = self._take()
        if token.kind == "integer":
            return _integer(token, 1)
        if token.kind == "text":
            return Constant(token.text)
        if token.kind == "word":
            return self._call(token) if self._is("(") else _attribute(token)
        return self._headed(token)

    def _headed(self, token: Token) -> Node:
        """What begins with a sign or a keyword."""
        if token.text in ("TRUE", "FALSE"):
            return Constant(token.text == "TRUE")
        if token.text in ("-", "+") and self._next.kind == "integer":
            return _integer(self._take(), -1 if token.text == "-" else 1)
        if token.text in ("NOT", "-"):
            return Unary(token.text, self._expression(_UNARY))
        if token.text == "EXISTS":
            if self._next.kind not in ("word", "integer"):
                raise self._unexpected("an attribute")
            return Exists(_attribute(self._take()).name)
        self._place -= 1
        raise self._unexpected("a value")

    def _call(self, name: Token) -> Node:
        behind = self._tokens[self._place + 1]
        if behind.kind == "sign" and behind.text == ")":
            self._place += 2
            return Call(name.text.upper(), (), name.at)
        return Call(name.text.upper(), self._listed(), name.at)

    def _count(self) -> None:
        self._terms += 1
        if self._terms > TERMS_MAX:
            raise ExpressionInvalidError(self._next.at, f"at most {TERMS_MAX} values and operators")


def _integer(token: Token, sign: int) -> Constant:
    value = sign * int(token.text)
    if not is_integer(value):
        raise ExpressionInvalidError(token.at, "is no integer of 32 bits")
    return Constant(value)


def _attribute(token: Token) -> Attribute:
    if not token.text.isalnum() or token.text != token.text.lower():
        raise ExpressionInvalidError(token.at, "attributes are named by a to z and 0 to 9")
    if token.text == "data":
        raise ExpressionInvalidError(token.at, "filters look at attributes alone")
    return Attribute(token.text)
