"""The domain notes' worked examples of both indices."""

from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from sebalai_services_catalog.indices.score import (
    Band,
    Weighed,
    gains,
    grade_of,
    index_of,
    parts,
    rounded,
)
from sebalai_shared.reference import ReferenceFolder

FOLDER = ReferenceFolder(Path(__file__).parents[4] / "deploy/reference")
SPBE_LEVELS = (
    "3 3 2 3 3 4 2 3 2 4  3 3 2 2  3 4 4 2  3 3  2 3 2 3 2 2 2 3  1 1 1  4 4 4 4 4 4 3 4 4 4 "
    "4 4 5 4 3 3"
)
PEMDI_LEVELS = "3 2 2 3 3 1 2 2 1 2 3 2 3 3 2 2 3 2 2 3"


def indicators(scheme):
    return [
        Weighed(int(row["number"]), row["aspect"], row.get("domain"), Fraction(row["weight"]))
        for row in FOLDER.rows(f"{scheme}_indicators")
    ]


def bands(scheme):
    return [
        Band(
            Decimal(row["lower"]), Decimal(row["upper"]), row["grade"],
            scheme != "spbe" or row["grade"] == "Memuaskan",
        )
        for row in FOLDER.rows("grade_bands")
        if row["scale"] == scheme
    ]  # fmt: skip


def levels(text):
    return {number: int(level) for number, level in enumerate(text.split(), 1)}


def test_the_worked_spbe_example_is_3_19_baik():
    found = index_of(indicators("spbe"), levels(SPBE_LEVELS))
    assert found == Fraction("3.1945")
    assert (rounded(found), grade_of(found, bands("spbe"))) == (Decimal("3.19"), "Baik")
    domains = parts(indicators("spbe"), levels(SPBE_LEVELS), "domain")
    assert [round(float(index), 4) for index in domains.values()] == [2.9, 2.9, 2.0, 3.8736]


def test_raising_spbe_audits_and_one_service_adds_what_the_notes_say():
    before = index_of(indicators("spbe"), levels(SPBE_LEVELS))
    audits = {**levels(SPBE_LEVELS), 29: 3, 30: 3, 31: 3}
    assert index_of(indicators("spbe"), audits) - before == Fraction("0.09")
    found = {
        gain.number: gain.index
        for gain in gains(indicators("spbe"), levels(SPBE_LEVELS), bands("spbe"))
    }
    assert found[32] - before == Fraction("0.0275")
    assert 44 not in found


def test_all_ones_are_1_and_all_fives_5():
    for scheme, count in (("spbe", 47), ("pemdi", 20)):
        for level in (1, 5):
            assert index_of(indicators(scheme), dict.fromkeys(range(1, count + 1), level)) == level


def test_the_worked_pemdi_example_is_2_40_cukup_and_satisfaction_lifts_it_to_baik():
    found = index_of(indicators("pemdi"), levels(PEMDI_LEVELS))
    assert (rounded(found), grade_of(found, bands("pemdi"))) == (Decimal("2.40"), "Cukup")
    aspects = parts(indicators("pemdi"), levels(PEMDI_LEVELS), "aspect")
    assert [round(float(index), 4) for index in aspects.values()] == [
        2.5, 2.5, 2.1333, 1.9333, 3.0, 2.2667, 2.6,
    ]  # fmt: skip
    best = gains(indicators("pemdi"), levels(PEMDI_LEVELS), bands("pemdi"))[0]
    assert (best.number, rounded(best.index), best.grade) == (20, Decimal("2.55"), "Baik")


@pytest.mark.parametrize(
    ("scheme", "index", "grade"),
    [
        ("pemdi", "1.50", "Kurang"), ("pemdi", "1.504", "Kurang"), ("pemdi", "1.505", "Cukup"),
        ("pemdi", "2.50", "Cukup"), ("pemdi", "2.51", "Baik"), ("pemdi", "3.50", "Baik"),
        ("pemdi", "4.00", "Sangat Baik"), ("pemdi", "4.01", "Memuaskan"),
        *[("spbe", value, "Memuaskan") for value in ("4.2", "4.22", "4.26", "5")],
        *[("spbe", value, "Sangat Baik") for value in ("3.5", "3.56", "3.68", "3.75", "4.16")],
        *[("spbe", value, "Baik") for value in ("2.6", "2.70", "2.79", "2.89", "3.18", "3.41")],
        *[("spbe", value, "Cukup") for value in ("1.8", "2.34", "2.59")],
        ("spbe", "1.00", "Kurang"),
    ],
)  # fmt: skip
def test_published_pairs_and_band_edges_keep_their_grade(scheme, index, grade):
    assert grade_of(Fraction(index), bands(scheme)) == grade
