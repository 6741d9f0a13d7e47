"""Numbers of persons and businesses, by the 79 rows of the reference vectors, and by any text."""

import csv
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_identity import numbers
from sebalai_identity.numbers import NumberInvalid

TODAY = date(2026, 11, 24)
VECTORS = Path(__file__).parents[3] / "deploy/reference/identity_test_vectors.csv"


def vectors():
    with VECTORS.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def read(kind, value):
    """(birth date, sex, variant) as the vectors spell them."""
    if kind == "nik":
        nik = numbers.read_nik(value, TODAY)
        return nik.birth_date.isoformat(), nik.sex, ""
    if kind == "nip":
        nip = numbers.read_nip(value, TODAY)
        return nip.birth_date.isoformat(), nip.sex, nip.variant
    if kind == "npwp":
        return "", "", numbers.npwp_variant(value, TODAY)
    if kind == "nib":
        numbers.require_nib(value)
    else:
        numbers.require_same_person(*value.split("+"), TODAY)
    return "", "", ""


def test_there_are_79_vectors():
    assert len(vectors()) == 79


@pytest.mark.parametrize("row", vectors(), ids=lambda row: f"{row['kind']}-{row['value']}")
def test_number_is_read_as_the_reference_says(row):
    if row["valid"] == "true":
        told = read(row["kind"], row["value"])
        assert told == (row["birth_date"], row["sex"], row["variant"])
        return
    with pytest.raises(NumberInvalid) as refused:
        read(row["kind"], row["value"])
    assert refused.value.reason == row["reason"]
    assert not row["value"] or row["value"] not in str(refused.value)


@given(st.sampled_from(["nik", "nip", "npwp", "nib"]), st.text(max_size=20))
def test_any_text_is_a_number_or_refused_without_repeating_it(kind, text):
    told = ""
    try:
        read(kind, text)
    except NumberInvalid as refused:
        told = str(refused)
    assert len(text) < 6 or text not in told


@given(st.dates(date(1927, 1, 1), TODAY), st.booleans(), st.integers(1, 9999))
def test_nik_made_from_a_birth_date_tells_it_again(birth, is_woman, serial):
    day = birth.day + 40 * is_woman
    nik = numbers.read_nik(f"197101{day:02}{birth:%m%y}{serial:04}", TODAY)
    assert (nik.birth_date, nik.sex) == (birth, "P" if is_woman else "L")


def test_digits_of_other_scripts_are_no_digits():
    with pytest.raises(NumberInvalid, match="non_digit"):
        numbers.require_nib("٣" * 13)


def test_child_of_the_year_is_not_a_person_of_a_hundred_years():
    assert numbers.read_nik("1971010101260001", TODAY).is_century_ambiguous
    assert numbers.read_nik("1971010101300001", TODAY).birth_date == date(1930, 1, 1)


def test_mask_keeps_six_digits():
    assert numbers.masked("1971010101909901") == "1971**********01"
