"""The built-in functions of section 3.5, the explicit casts, and the drafts' IS_INT and IS_BOOL."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sebalai_exchange.cesql.casts import INTEGER_MAX, to_boolean, to_integer, to_string
from sebalai_exchange.cesql.tree import EvaluationError, Kind, Value

# White_Space of Unicode; str.strip alone would take four control characters as well.
_WHITE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
# Ten attributes of the longest kind. What a LIKE costs is its text's length times its pattern's.
TEXT_LENGTH_MAX = 2_000
_B, _I, _S, _ANY = Kind.BOOLEAN, Kind.INTEGER, Kind.STRING, Kind.ANY


@dataclass(frozen=True, slots=True)
class Function:
    """`takes` are the kinds of its arguments; with `has_more` the last may come any number of
    times, also none.
    """

    gives: Kind
    takes: tuple[Kind, ...]
    run: Callable[..., Value]
    has_more: bool = False

    def kinds(self, count: int) -> tuple[Kind, ...] | None:
        """Of so many arguments; None when it takes another number."""
        if not self.has_more:
            return self.takes if count == len(self.takes) else None
        fixed = self.takes[:-1]
        more = count - len(fixed)
        return None if more < 0 else (*fixed, *self.takes[-1:] * more)


def _absolute(value: int) -> int:
    if abs(value) > INTEGER_MAX:
        raise EvaluationError("math")
    return abs(value)


def _positive(count: int) -> int:
    if count < 0:
        raise EvaluationError("functionEvaluation")
    return count


def _right(text: str, count: int) -> str:
    return text[max(len(text) - _positive(count), 0) :]


def _rest(text: str, place: int) -> str:
    """From `place`, counted from 1, or from the end when negative."""
    if abs(place) > len(text):
        raise EvaluationError("functionEvaluation")
    if place == 0:
        return ""
    return text[place - 1 :] if place > 0 else text[place:]


def _part(text: str, place: int, count: int) -> str:
    return _rest(text, place)[: _positive(count)]


def _can(cast: Callable[[Value], Value]) -> Callable[[Value], bool]:
    def can(value: Value) -> bool:
        try:
            cast(value)
        except EvaluationError:
            return False
        return True

    return can


def _trim(text: str) -> str:
    return text.strip(_WHITE)


def _concat(*texts: str) -> str:
    return _concat_ws("", *texts)


def _concat_ws(delimiter: str, *texts: str) -> str:
    found = delimiter.join(texts)
    if len(found) > TEXT_LENGTH_MAX:
        raise EvaluationError("functionEvaluation")
    return found


def _left(text: str, count: int) -> str:
    return text[: _positive(count)]


_FUNCTIONS: Mapping[str, tuple[Function, ...]] = {
    "LENGTH": (Function(_I, (_S,), len),),
    "CONCAT": (Function(_S, (_S,), _concat, has_more=True),),
    "CONCAT_WS": (Function(_S, (_S, _S), _concat_ws, has_more=True),),
    "LOWER": (Function(_S, (_S,), str.lower),),
    "UPPER": (Function(_S, (_S,), str.upper),),
    "TRIM": (Function(_S, (_S,), _trim),),
    "LEFT": (Function(_S, (_S, _I), _left),),
    "RIGHT": (Function(_S, (_S, _I), _right),),
    "SUBSTRING": (Function(_S, (_S, _I), _rest), Function(_S, (_S, _I, _I), _part)),
    "ABS": (Function(_I, (_I,), _absolute),),
    "INT": (Function(_I, (_ANY,), to_integer),),
    "BOOL": (Function(_B, (_ANY,), to_boolean),),
    "STRING": (Function(_S, (_ANY,), to_string),),
    "IS_INT": (Function(_B, (_ANY,), _can(to_integer)),),
    "IS_BOOL": (Function(_B, (_ANY,), _can(to_boolean)),),
}


def find(name: str, count: int) -> tuple[Function, tuple[Kind, ...]] | None:
    """The function that takes so many arguments, with their kinds."""
    for one in _FUNCTIONS.get(name, ()):
        kinds = one.kinds(count)
        if kinds is not None:
            return one, kinds
    return None


def names() -> tuple[str, ...]:
    return tuple(_FUNCTIONS)
