"""CloudEvents SQL: the conformance cases, the limits, and the compiled against the plain."""

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_exchange.cesql.casts import to_integer
from sebalai_exchange.cesql.compiling import compiled, predicate
from sebalai_exchange.cesql.functions import TEXT_LENGTH_MAX
from sebalai_exchange.cesql.parsing import DEPTH_MAX, LENGTH_MAX, TERMS_MAX, parse
from sebalai_exchange.cesql.patterns import like
from sebalai_exchange.cesql.tree import (
    EvaluationError,
    ExpressionInvalidError,
    FunctionUnknownError,
)

from services.exchange.tests.cesql import cases, interpreter


def outcome(expression, event):
    """(value, None), or (None, kind of error)."""
    try:
        return compiled(expression).run(event), None
    except FunctionUnknownError:
        return None, "missingFunction"
    except ExpressionInvalidError:
        return None, "parse"
    except EvaluationError as error:
        return None, error.kind


@pytest.mark.parametrize(("expression", "attributes", "value", "error"), cases.CASES)
def test_a_conformance_case_gives_its_value_or_its_error(expression, attributes, value, error):
    found = outcome(expression, cases.EVENT | attributes)
    assert found == (None if error else value, error)
    assert error or type(found[0]) is type(value)


@pytest.mark.parametrize(
    ("expression", "at", "says"),
    [
        ("id = ", 6, "a value expected, not the end"),
        ("id = 'a", 6, "closing quote"),
        ("id ~ 1", 4, "no meaning"),
        ("(id = 1", 8, r"'\)' expected"),
        ("id = 1)", 7, "an operator or the end"),
        ("id NOT 'LIKE' 1", 4, "an operator or the end"),
        ("Id = 1", 1, "attributes are named"),
        ("data = 'x'", 1, "attributes alone"),
        ("EXISTS data", 8, "attributes alone"),
        ("id = NOPE(1, 2)", 6, "no function NOPE of 2 arguments"),
        ("LENGTH(id)", 1, "gives Integer, not Boolean"),
        ("EXISTS (id)", 8, "an attribute expected"),
        ("id IN 'a'", 7, r"'\(' expected"),
        ("'a''b' = id", 4, "an operator or the end"),
        ("id = 'a' OR id = 'b' AND flag", 22, "put brackets around OR or AND"),
        ("flag AND (id = 'a' xor flag OR flag)", 29, "put brackets around XOR or OR"),
        ("NOT flag AND flag AND flag XOR flag", 28, "put brackets around AND or XOR"),
    ],
)
def test_what_cannot_be_evaluated_says_where(expression, at, says):
    with pytest.raises(ExpressionInvalidError) as error:
        predicate(expression)
    assert error.value.at == at
    assert re.search(says, error.value.detail)


@pytest.mark.parametrize(
    "expression",
    [
        "id = '" + "a" * LENGTH_MAX + "'",
        "(" * (DEPTH_MAX + 1) + "TRUE" + ")" * (DEPTH_MAX + 1),
        "NOT " * (DEPTH_MAX + 1) + "TRUE",
        " OR ".join(["TRUE"] * TERMS_MAX),
        "LENGTH(" * (DEPTH_MAX + 1) + "id" + ")" * (DEPTH_MAX + 1),
    ],
)
def test_an_expression_has_limits(expression):
    with pytest.raises(ExpressionInvalidError, match=r"at most|deeper than"):
        predicate(expression)


def test_a_text_of_any_number_of_zeros_is_an_integer():
    """The interpreter reads no more than 4,300 digits; who wrote such a filter ended dispatch."""
    assert predicate("INT(CONCAT(number, number)) = 0")({"number": "0" * 200})
    many = ", ".join(["number"] * 9)
    assert outcome(f"INT(CONCAT({many}, 'x')) = 0", {"number": "0" * 200}) == (None, "cast")
    assert to_integer("-" + "0" * 10_000 + "7") == -7
    with pytest.raises(EvaluationError):
        to_integer("0" * 10_000 + "2147483648")


def test_a_text_is_put_together_to_a_limit():
    many = ", ".join(["id"] * 11)
    for call in (f"CONCAT({many})", f"CONCAT_WS('', {many})"):
        assert outcome(f"{call} LIKE '%a_a_b%'", {"id": "a" * 200}) == (None, "functionEvaluation")
    assert predicate(f"LENGTH(CONCAT(id, id)) = {TEXT_LENGTH_MAX}")({"id": "a" * 1_000})


def test_a_chain_of_patterns_has_the_limits_of_other_chains():
    longest = "id" + " NOT LIKE ''" * 99
    assert predicate(longest)({"id": "a"})
    with pytest.raises(ExpressionInvalidError, match="at most 200 values"):
        predicate(longest + " NOT LIKE ''")


PIECES = st.sampled_from(
    (
        *"()+-*/%=<>,'\"\\ ", "NOT ", " AND ", " OR ", " XOR ", " LIKE ", " IN (", "EXISTS ", "TRUE",
        "id", "kind", "hop", "'a%'", "'0'", "0", "2147483647", "2147483648", "INT(", "ABS(", "LEFT(",
        "SUBSTRING(", "CONCAT(", "UPPER(", "\n", "\0", "ﬁ", "٣",
    )
)  # fmt: skip
WRITTEN = st.one_of(
    st.text(max_size=60),
    st.lists(PIECES, max_size=40).map("".join),
    st.tuples(PIECES, st.integers(1, 8_192)).map(lambda t: (t[0] * t[1])[:8_192]),
    st.tuples(PIECES, PIECES, st.integers(1, 2_000)).map(lambda t: t[0] + (t[1] + "id") * t[2]),
)


@given(written=WRITTEN, event=st.deferred(lambda: EVENTS))
def test_whatever_is_written_is_read_or_refused_and_never_fails_otherwise(written, event):
    with contextlib.suppress(ExpressionInvalidError):
        assert predicate(written)(event) in (True, False)


def test_the_longest_chain_is_evaluated():
    assert predicate(" XOR ".join(["TRUE"] * (TERMS_MAX // 2)))({}) is False


def test_a_pattern_of_many_wildcards_ends():
    long = "a" * 1_800
    assert not predicate("CONCAT(id, id) LIKE '" + "%a" * 400 + "%b'")({"id": long})


def test_an_integer_of_more_than_32_bits_counts_as_its_text():
    assert predicate("number = '4294967296'")({"number": 4294967296})


def test_only_a_true_boolean_without_errors_passes():
    assert predicate("urgent")({"urgent": True})
    assert not predicate("urgent")({"urgent": "true"})
    assert not predicate("NOT (missing = 'a')")({})
    assert not predicate("missing = 'a' OR TRUE")({})
    assert predicate("(EXISTS missing AND missing = 'a') OR TRUE")({})


NAMES = ("id", "kind", "hop", "flag", "missing")
EVENTS = st.fixed_dictionaries(
    {
        "id": st.sampled_from(("", "a", "Abc", "5", "true", "007")),
        "kind": st.sampled_from(("x.y", "5", "FALSE")),
        "hop": st.sampled_from((-(2**31), -3, 0, 1, 5, 2**31 - 1)),
        "flag": st.booleans(),
    }
)
ATOMS = st.one_of(
    st.sampled_from(NAMES),
    st.sampled_from(NAMES).map(lambda name: f"EXISTS {name}"),
    st.sampled_from(
        ("TRUE", "FALSE", "0", "5", "-3", "'a'", "'5'", "'true'", "'Abc'", "2147483647")
    ),
)


def _is_plain(parts):
    """Whether nothing in it stands beside another of AND, OR and XOR."""
    try:
        parse(" ".join(parts))
    except ExpressionInvalidError:
        return False
    return True


def _larger(inner):
    signs = ("AND", "OR", "XOR", "=", "!=", "<>", "<", "<=", ">", ">=", "+", "-", "*", "/", "%")
    return st.one_of(
        st.tuples(inner, st.sampled_from(signs), inner).filter(_is_plain).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(inner, st.sampled_from(signs), inner).filter(_is_plain).map(" ".join),
        inner.map(lambda one: f"NOT ({one})"),
        inner.map(lambda one: f"- {one}"),
        st.tuples(inner, st.sampled_from(("a%", "%b_", "5", "%"))).map(lambda t: f"({t[0]}) LIKE '{t[1]}'"),
        st.tuples(inner, inner, inner).map(lambda t: f"({t[0]}) IN ({t[1]}, {t[2]})"),
        st.tuples(inner, inner).map(lambda t: f"({t[0]}) NOT IN ({t[1]})"),
        st.tuples(st.sampled_from(("LENGTH", "LOWER", "INT")), inner).map(lambda t: f"{t[0]}({t[1]})"),
    )  # fmt: skip


@given(expression=st.recursive(ATOMS, _larger, max_leaves=8), event=EVENTS)
def test_the_compiled_is_what_the_tables_say(expression, event):
    value, errors = interpreter.evaluate(parse(expression), event)
    found, error = outcome(expression, event)
    assert (error is None) == (not errors), errors
    if error is None:
        assert (found, type(found)) == (value, type(value))
    else:
        assert error in errors


@given(
    st.lists(
        st.tuples(st.sampled_from(("AND", "OR", "XOR")), st.booleans()), min_size=1, max_size=6
    ),
    st.booleans(),
)
def test_a_chain_is_read_from_either_side_alike_or_not_at_all(links, first):
    plain = " ".join([str(first), *(f"{sign} {value}" for sign, value in links)])
    from_left = "(" * len(links) + str(first) + "".join(f" {sign} {one})" for sign, one in links)
    from_right = str(links[-1][1])
    values = [first, *(value for _, value in links)]
    for value, (sign, _) in reversed(list(zip(values, links, strict=False))):
        from_right = f"{value} {sign} ({from_right})"
    if len({sign for sign, _ in links}) > 1:
        assert outcome(plain, {}) == (None, "parse")
    else:
        assert outcome(plain, {}) == outcome(from_left, {}) == outcome(from_right, {})


def _liked(pattern, text):
    """LIKE as it is told: one character of the pattern after the other."""
    if not pattern:
        return not text
    if pattern[0] == "%":
        return any(_liked(pattern[1:], text[place:]) for place in range(len(text) + 1))
    if pattern[0] == "_":
        return bool(text) and _liked(pattern[1:], text[1:])
    literal = pattern[1] if pattern[0] == "\\" and pattern[1:2] in ("%", "_") else pattern[0]
    behind = 2 if literal in "%_" else 1
    return text[:1] == literal and _liked(pattern[behind:], text[1:])


@given(st.text("ab%_\\\n", max_size=8), st.text("ab%_\\\n", max_size=8))
def test_a_pattern_matches_what_it_says(pattern, text):
    assert like(pattern)(text) is _liked(pattern, text)
