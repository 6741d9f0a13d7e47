"""From tree to one function: types are settled once, casts stand only where they are needed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sebalai_exchange.cesql.casts import CASTS, cast_like, primitive
from sebalai_exchange.cesql.functions import find, names
from sebalai_exchange.cesql.operators import ARITHMETIC, ORDER, checked
from sebalai_exchange.cesql.parsing import parse
from sebalai_exchange.cesql.patterns import like
from sebalai_exchange.cesql.tree import (
    Attribute,
    Attributes,
    Binary,
    Call,
    Constant,
    EvaluationError,
    Exists,
    ExpressionInvalidError,
    FunctionUnknownError,
    In,
    Kind,
    Like,
    Node,
    Unary,
    Value,
)

# Rights are looked up anew each second; what is asked for stays the same.
COMPILED_KEPT_MAX = 2_000

Run = Callable[[Attributes], Value]


@dataclass(frozen=True, slots=True)
class Term:
    """A compiled node: its kind, and what evaluates it. `run` raises EvaluationError."""

    kind: Kind
    run: Run


@lru_cache(COMPILED_KEPT_MAX)
def predicate(expression: str) -> Callable[[Attributes], bool]:
    """Whether an event passes; one whose evaluation fails does not (section 1.2).

    Raises: ExpressionInvalidError.
    """
    term = compiled(expression)
    if term.kind not in (Kind.BOOLEAN, Kind.ANY):
        raise ExpressionInvalidError(1, f"gives {term.kind.value}, not Boolean, so none would pass")
    run = term.run

    def passes(event: Attributes) -> bool:
        try:
            return run(event) is True
        except EvaluationError:
            return False

    return passes


def compiled(expression: str) -> Term:
    """Raises: ExpressionInvalidError."""
    return _term(parse(expression))


def _term(node: Node) -> Term:  # noqa: PLR0911 - one line a kind of node
    match node:
        case Constant(value):
            return Term(_kind(value), lambda _: value)
        case Attribute(name):
            return Term(Kind.ANY, _attribute(name))
        case Exists(name):
            return Term(Kind.BOOLEAN, lambda event: event.get(name) is not None)
        case Unary():
            return _unary(node)
        case Binary():
            return _binary(node)
        case Like(inner, pattern):
            text, matches = _cast(_term(inner), Kind.STRING), like(pattern)
            return Term(Kind.BOOLEAN, lambda event: matches(str(text(event))))
        case In():
            return Term(Kind.BOOLEAN, _in(_term(node.inner), [_term(one) for one in node.items]))
        case Call():
            return _call(node)


def _kind(value: Value) -> Kind:
    if isinstance(value, bool):
        return Kind.BOOLEAN
    return Kind.INTEGER if isinstance(value, int) else Kind.STRING


def _attribute(name: str) -> Run:
    def run(event: Attributes) -> Value:
        value = event.get(name)
        if value is None:
            raise EvaluationError("missingAttribute")
        return value if type(value) is str else primitive(value)

    return run


def _cast(term: Term, kind: Kind) -> Run:
    """Evaluates to that kind."""
    if kind in (term.kind, Kind.ANY):
        return term.run
    run, cast = term.run, CASTS[kind]
    return lambda event: cast(run(event))


def _unary(node: Unary) -> Term:
    inner = _term(node.inner)
    if node.operator == "NOT":
        truth = _cast(inner, Kind.BOOLEAN)
        return Term(Kind.BOOLEAN, lambda event: not truth(event))
    number = _cast(inner, Kind.INTEGER)
    return Term(Kind.INTEGER, lambda event: checked(-int(number(event))))


def _binary(node: Binary) -> Term:
    left, right = _term(node.left), _term(node.right)
    if node.operator in ("AND", "OR", "XOR"):
        return Term(Kind.BOOLEAN, _logic(node.operator, left, right))
    if node.operator in ("=", "!=", "<>"):
        equal = _equal(left, right)
        if node.operator == "=":
            return Term(Kind.BOOLEAN, equal)
        return Term(Kind.BOOLEAN, lambda event: not equal(event))
    first, second = _cast(left, Kind.INTEGER), _cast(right, Kind.INTEGER)
    if node.operator in ORDER:
        compare = ORDER[node.operator]
        return Term(Kind.BOOLEAN, lambda event: compare(first(event), second(event)))
    reckon = ARITHMETIC[node.operator]
    return Term(Kind.INTEGER, lambda event: checked(reckon(int(first(event)), int(second(event)))))


def _logic(name: str, left: Term, right: Term) -> Run:
    """AND and OR look at the right side only where it still decides."""
    first, second = _cast(left, Kind.BOOLEAN), _cast(right, Kind.BOOLEAN)
    if name == "AND":
        return lambda event: first(event) and second(event)
    if name == "OR":
        return lambda event: first(event) or second(event)
    return lambda event: first(event) is not second(event)


def _equal(left: Term, right: Term) -> Run:
    """The right side's type is the one compared in."""
    second = right.run
    if right.kind is not Kind.ANY:
        first = _cast(left, right.kind)
        return lambda event: first(event) == second(event)
    run = left.run

    def compare(event: Attributes) -> bool:
        found, wanted = run(event), second(event)
        return cast_like(wanted)(found) == wanted

    return compare


def _in(left: Term, items: Sequence[Term]) -> Run:
    """The left side's type is the one compared in; nothing says that an item may be passed over,
    so one that fails lets no event through.
    """
    run = left.run
    if left.kind is not Kind.ANY:
        casts = [_cast(item, left.kind) for item in items]
        return lambda event: run(event) in [cast(event) for cast in casts]
    plain = [item.run for item in items]

    def among(event: Attributes) -> bool:
        found = run(event)
        cast = cast_like(found)
        return found in [cast(item(event)) for item in plain]

    return among


def _call(node: Call) -> Term:
    found = find(node.name, len(node.arguments))
    if found is None:
        known = ", ".join(names())
        detail = f"no function {node.name} of {len(node.arguments)} arguments; there are {known}"
        raise FunctionUnknownError(node.at, detail)
    function, kinds = found
    casts = [_cast(_term(one), kind) for one, kind in zip(node.arguments, kinds, strict=True)]
    run = function.run
    return Term(function.gives, lambda event: run(*[cast(event) for cast in casts]))
