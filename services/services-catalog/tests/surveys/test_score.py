"""The domain notes' own worked example, every band edge, and the trap of 0.11."""

from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_services_catalog.surveys.score import grade_of, half_up, sample_size, score
from sebalai_shared.reference import ReferenceFolder

FOLDER = ReferenceFolder(Path(__file__).parents[4] / "deploy/reference")
BANDS = [
    (Decimal(row["lower"]), Decimal(row["upper"]), row["grade"])
    for row in FOLDER.rows("grade_bands")
    if row["scale"] == "skm"
]
ELEMENTS = [row["identifier"] for row in FOLDER.rows("skm_elements")]
ANSWERS = (
    "444443444 343434433 333334433 443444434 322433323 434444444 333443333 444444444 233432322 "
    "343434434 443444443 333334333"
)


def of(rows):
    sums = {name: sum(int(row[place]) for row in rows) for place, name in enumerate(ELEMENTS)}
    return score(sums, len(rows), BANDS)


def test_the_worked_example_gives_86_11_and_grade_b():
    found = of(ANSWERS.split())
    assert (found.rounded, found.grade) == (Decimal("86.11"), "B")
    assert found.value == Fraction(372, 12 * 9) * 25
    assert found.with_rounded_weights == Decimal("85.25")
    assert {ELEMENTS.index(name) + 1 for name in found.lowest} == {3, 8}


@pytest.mark.parametrize(
    ("exact", "shown", "grade"),
    [
        ("25", "25.00", "D"), ("64.99", "64.99", "D"), ("64.994", "64.99", "D"),
        ("64.995", "65.00", "C"), ("65", "65.00", "C"), ("76.604", "76.60", "C"),
        ("76.605", "76.61", "B"), ("76.61", "76.61", "B"), ("88.304", "88.30", "B"),
        ("88.305", "88.31", "A"), ("88.31", "88.31", "A"), ("100", "100.00", "A"),
    ],
)  # fmt: skip
def test_every_band_edge_is_rounded_first_and_classified_after(exact, shown, grade):
    rounded = half_up(Fraction(exact))
    assert (rounded, grade_of(rounded, BANDS)) == (Decimal(shown), grade)


def test_all_fours_are_a_hundred_but_only_99_with_the_printed_weight():
    found = of(["444444444"])
    assert (found.rounded, found.with_rounded_weights) == (Decimal("100.00"), Decimal("99.00"))


def test_without_respondents_there_is_no_score():
    assert of([]) is None


@given(st.lists(st.text("1234", min_size=9, max_size=9), min_size=1, max_size=30))
def test_every_possible_score_has_exactly_one_grade(rows):
    found = of(rows)
    assert 25 <= found.rounded <= 100
    assert sum(lower <= found.rounded <= upper for lower, upper, _ in BANDS) == 1


@pytest.mark.parametrize(
    ("population", "size"),
    [
        (0, 0),
        (10, 10),
        (50, 44),
        (100, 80),
        (300, 169),
        (500, 217),
        (1_000, 278),
        (10_000, 370),
        (100_000, 383),
    ],
)
def test_sample_sizes_are_those_of_krejcie_and_morgan(population, size):
    assert sample_size(population) == size
