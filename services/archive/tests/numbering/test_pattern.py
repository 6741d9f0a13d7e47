from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_archive.numbering.pattern import NumberParts, check_pattern, written

DAY = date(2026, 5, 4)


def parts(n=73, day=DAY):
    return NumberParts(classification="800.1.11.1", n=n, unit="434.100", security="B", day=day)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("{klasifikasi}/{nomor}/{unit}/{tahun}", "800.1.11.1/73/434.100/2026"),
        ("{klasifikasi}/{nomor:3}/BKAD/{bulan_romawi}/{tahun}", "800.1.11.1/073/BKAD/V/2026"),
        ("{keamanan}/{nomor}/{klasifikasi}/UM/{tahun}", "B/73/800.1.11.1/UM/2026"),
        ("{nomor}/{unit}/{keamanan}/{klasifikasi}/{tahun}", "73/434.100/B/800.1.11.1/2026"),
        ("{klasifikasi}/{nomor}/SJ/{bulan}/{tahun}", "800.1.11.1/73/SJ/05/2026"),
    ],
)
def test_the_official_samples_are_written(pattern, text):
    check_pattern(pattern)
    assert written(pattern, parts()) == text


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("{klasifikasi}/{tahun}", "nomor"),
        ("{nomor}/{nomor}/{tahun}", "nomor"),
        ("{nomor}/{klasifikasi}", "tahun"),
        ("{nomor}/{kelas}/{tahun}", "kelas"),
        ("{nomor}{tahun}", "between"),
        ("1{nomor}/{tahun}", "touch"),
        ("{nomor}/{unit:3}/{tahun}", "width"),
        ("{nomor:9}/{tahun}", "width"),
        ("{nomor}/<b>/{tahun}", "letters, digits"),
        ("{nomor}/{}/{tahun}", "letters, digits"),
    ],
)
def test_a_pattern_that_could_confuse_is_refused(pattern, reason):
    with pytest.raises(ValueError, match=reason):
        check_pattern(pattern)


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_two_numbers_of_a_year_never_look_alike(one, other, day):
    pattern = "{klasifikasi}/{nomor:3}/{unit}/{tahun}"
    same = written(pattern, parts(one, day)) == written(pattern, parts(other, day))
    assert same == (one == other)
