"""What an expression is made of, and the two ways in which one fails."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Literal as OneOf

Value = bool | int | str
Attributes = Mapping[str, Value]
ErrorKind = OneOf["cast", "math", "missingAttribute", "functionEvaluation"]


class Kind(Enum):
    """Types of section 3.1; ANY is an attribute's, which only its event knows."""

    BOOLEAN = "Boolean"
    INTEGER = "Integer"
    STRING = "String"
    ANY = "Any"


class ExpressionInvalidError(ValueError):
    """The expression can never be evaluated; `at` counts characters from 1."""

    def __init__(self, at: int, detail: str) -> None:
        super().__init__(f"character {at}: {detail}")
        self.at, self.detail = at, detail


class FunctionUnknownError(ExpressionInvalidError):
    """There is no function of that name and number of arguments."""


class EvaluationError(Exception):
    """The evaluation of one event ends; `kind` as the conformance tests name it."""

    def __init__(self, kind: ErrorKind) -> None:
        super().__init__(kind)
        self.kind: ErrorKind = kind


@dataclass(frozen=True, slots=True)
class Constant:
    value: Value


@dataclass(frozen=True, slots=True)
class Attribute:
    name: str


@dataclass(frozen=True, slots=True)
class Exists:
    name: str


@dataclass(frozen=True, slots=True)
class Unary:
    """`operator` is NOT or -."""

    operator: str
    inner: "Node"


@dataclass(frozen=True, slots=True)
class Binary:
    """`operator` is AND, OR, XOR, a comparison or one of + - * / %."""

    operator: str
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Like:
    inner: "Node"
    pattern: str


@dataclass(frozen=True, slots=True)
class In:
    inner: "Node"
    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Call:
    """`at` is where the name stands, for a refusal."""

    name: str
    arguments: tuple["Node", ...]
    at: int


Node = Constant | Attribute | Exists | Unary | Binary | Like | In | Call
