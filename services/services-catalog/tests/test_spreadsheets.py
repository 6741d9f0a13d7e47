import csv
from io import StringIO

from hypothesis import given
from hypothesis import strategies as st
from sebalai_services_catalog.spreadsheets import FORMULA_SIGNS, cell, sheet

TEXTS = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\x00\r"))
CELLS = st.one_of(TEXTS, st.sampled_from(FORMULA_SIGNS).flatmap(lambda s: TEXTS.map(s.__add__)))


@given(CELLS)
def test_no_cell_begins_like_a_formula_and_none_is_lost(text):
    read = list(csv.reader(StringIO(sheet(["a"], [{"a": text}]), newline="")))[1:]
    found = read[0][0] if read and read[0] else ""
    assert not found.lstrip(" ").startswith(FORMULA_SIGNS)
    assert found.removeprefix("'") == text or found == text


def test_blanks_hide_no_formula():
    assert cell("  =1+1") == "'  =1+1"
    assert cell(None) == ""
    assert cell(-1) == "'-1"
