"""CESQL as the specification's tables read, in complete evaluation: a value and all its errors.

Slow and plain, for comparison with what filters are compiled to.
"""

import fnmatch
import re

from sebalai_exchange.cesql.tree import (
    Attribute,
    Binary,
    Call,
    Constant,
    Exists,
    In,
    Like,
    Unary,
)

ZERO = {bool: False, int: 0, str: ""}


def cast(value, kind):
    """The value as `kind`, and the errors of that (the table of section 3.7)."""
    if type(value) is kind:
        return value, []
    if kind is str:
        return {True: "true", False: "false"}.get(value, str(value)) if type(
            value
        ) is bool else str(value), []
    if kind is bool and type(value) is str:
        known = {"true": True, "false": False}
        return (known[value.lower()], []) if value.lower() in known else (False, ["cast"])
    if kind is int and type(value) is str:
        if re.fullmatch(r"[+-]?[0-9]+", value) and -(2**31) <= int(value) < 2**31:
            return int(value), []
        return 0, ["cast"]
    return kind(value), []


def evaluate(node, event):  # noqa: PLR0911 - a line a kind of node
    """(value, errors); a missing attribute has no value."""
    match node:
        case Constant(value):
            return value, []
        case Attribute(name):
            return (event[name], []) if name in event else (None, ["missingAttribute"])
        case Exists(name):
            return name in event, []
        case Unary("NOT", inner):
            return apply(lambda x: not x, bool, [(inner, bool)], event)
        case Unary(_, inner):
            return apply(lambda x: -x, int, [(inner, int)], event)
        case Like(inner, pattern):
            return apply(lambda text: liked(text, pattern), bool, [(inner, str)], event)
        case In(inner, items):
            return isin(inner, items, event)
        case Binary():
            return binary(node, event)
        case Call(name, arguments):
            takes = {"LENGTH": (int, [str]), "LOWER": (str, [str]), "INT": (int, [int])}
            gives, kinds = takes[name]
            run = {"LENGTH": len, "LOWER": str.lower, "INT": int}[name]
            return apply(run, gives, list(zip(arguments, kinds, strict=True)), event)
    raise AssertionError(node)


def apply(run, gives, operands, event):
    """Runs on cast operands; with any of them missing or of no such type, the zero value."""
    values, errors, is_whole = [], [], True
    for node, kind in operands:
        value, found = evaluate(node, event)
        errors += found
        if value is None:
            is_whole = False
            continue
        value, found = cast(value, kind)
        errors += found
        is_whole = is_whole and not found
        values.append(value)
    if not is_whole:
        return ZERO[gives], errors
    value = run(*values)
    if type(value) is int and not -(2**31) <= value < 2**31:
        return 0, [*errors, "math"]
    return value, errors


def liked(text, pattern):
    glob = "".join({"%": "*", "_": "?"}.get(c, f"[{c}]" if c in "*?[" else c) for c in pattern)
    return fnmatch.fnmatchcase(text, glob)


def isin(inner, items, event):
    value, errors = evaluate(inner, event)
    found = False
    for item in items:
        one, more = evaluate(item, event)
        errors = errors + more
        if one is None or value is None:
            continue
        one, more = cast(one, type(value))
        errors = errors + more
        found = found or (not more and one == value)
    return (False if value is None else found), errors


def binary(node, event):  # noqa: PLR0911 - a line a group of operators
    name, left, right = node.operator, node.left, node.right
    if name in ("AND", "OR"):
        value, errors = apply(bool, bool, [(left, bool)], event)
        if value is (name == "OR"):
            return value, errors
        other, more = apply(bool, bool, [(right, bool)], event)
        return other, errors + more
    if name == "XOR":
        return apply(lambda a, b: a is not b, bool, [(left, bool), (right, bool)], event)
    if name in ("=", "!=", "<>"):
        wanted, errors = evaluate(right, event)
        if wanted is None:
            return False, errors + evaluate(left, event)[1]
        same = [(left, type(wanted)), (Constant(wanted), type(wanted))]
        value, more = apply(lambda a, b: (a == b) is (name == "="), bool, same, event)
        return value, errors + more
    pair = [(left, int), (right, int)]
    orders = {"<": int.__lt__, "<=": int.__le__, ">": int.__gt__, ">=": int.__ge__}
    if name in orders:
        return apply(orders[name], bool, pair, event)
    sums = {"+": int.__add__, "-": int.__sub__, "*": int.__mul__}
    if name in sums:
        return apply(sums[name], int, pair, event)
    value, errors = apply(lambda _, b: b, int, pair, event)
    if errors or value == 0:
        return 0, errors or ["math"]
    return apply(
        {"/": lambda a, b: int(a / b), "%": lambda a, b: a - b * int(a / b)}[name], int, pair, event
    )
