"""Bill codes: digits, and a wrong one is noticed."""

from hypothesis import given
from hypothesis import strategies as st
from sebalai_services_catalog.payments.codes import check_digit, is_code, new_code


def test_the_check_digit_is_that_of_the_standard():
    assert check_digit("7992739871") == "3"


@given(st.integers(2020, 2120))
def test_a_new_code_is_a_code_of_its_year(year):
    code = new_code(year)
    assert is_code(code)
    assert code[:2] == f"{year % 100:02d}"


@given(st.integers(0, 11), st.integers(1, 9))
def test_one_wrong_digit_is_noticed(place, off):
    code = new_code(2026)
    wrong = code[:place] + str((int(code[place]) + off) % 10) + code[place + 1 :]
    assert not is_code(wrong)


def test_what_is_no_code_is_none():
    for text in ("", "26123456789", "2612345678901", "26123456789x", "٢٦١٢٣٤٥٦٧٨٩٣"):
        assert not is_code(text)
