import csv
import re
from io import StringIO

from hypothesis import given
from hypothesis import strategies as st
from sebalai_shared.spreadsheets import FORMULA_SIGNS, SEPARATORS, cell, sheet

TEXTS = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\x00\r"))
CELLS = st.one_of(TEXTS, st.sampled_from(FORMULA_SIGNS).flatmap(lambda s: TEXTS.map(s.__add__)))


@given(CELLS)
def test_no_cell_begins_like_a_formula_and_none_is_lost(text):
    read = list(csv.reader(StringIO(sheet(["a"], [{"a": text}]), newline="")))[1:]
    found = read[0][0] if read and read[0] else ""
    assert not found.lstrip(" ").startswith(FORMULA_SIGNS)
    assert found.replace("'", "") == text.replace("'", "")


@given(CELLS, st.sampled_from(SEPARATORS), st.sampled_from(("", " ", '"', ' "')), CELLS)
def test_no_other_separator_begins_a_formula(before, separator, between, after):
    """A spreadsheet of another language takes `;`, tab or `|` for the comma."""
    line = sheet(["a"], [{"a": f"{before}{separator}{between}={after}"}]).split("\r\n", 1)[1]
    parts = re.split(r"[;\t|\r\n]", line)
    assert not any(part.lstrip(' "').startswith(("=", "+", "-", "@")) for part in parts)


def test_blanks_hide_no_formula():
    assert cell("  =1+1") == "'  =1+1"
    assert cell(None) == ""
    assert cell(-1) == "'-1"
    assert cell("KTP; =1+1") == "KTP; '=1+1"
