"""Reading and checking QRIS codes, against EMVCo's own example and spoilt ones."""

import binascii

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_services_catalog.payments.qris import QrisInvalid, check, checksum, objects

EMVCO = (
    "00020101021229300012D156000000000510A93FO3230Q31280012D15600000001030812345678520441115802CN"
    "5914BEST TRANSPORT6007BEIJING64200002ZH0104最佳运输0202北京540523.7253031565502016233030412"
    "340603***0708A60086670902ME91320016A0112233449988770708123456786304A13A"
)
"""The example of EMVCo's specification for merchant presented codes (version 1.1)."""


def code(**changed):
    values = {
        "00": "01", "01": "12", "52": "9399", "53": "360", "54": "250000.00", "58": "ID",
        "59": "KAS DAERAH UJI", "60": "PANGKALPINANG",
    } | changed  # fmt: skip
    body = "".join(f"{name}{len(text):02d}{text}" for name, text in values.items() if text)
    return f"{body}6304{checksum(body + '6304')}"


def test_the_checksum_is_that_of_the_standards():
    assert checksum("123456789") == "29B1"
    assert checksum(EMVCO[:-4]) == "A13A"


@given(st.text(max_size=60))
def test_the_checksum_is_the_one_that_the_standard_library_computes(text):
    try:
        expected = binascii.crc_hqx(text.encode(), 0xFFFF)
    except UnicodeEncodeError:
        return
    assert checksum(text) == f"{expected:04X}"


def test_the_example_is_read_whole_with_lengths_in_characters():
    found = objects(EMVCO)
    assert (found["59"], found["54"], found["64"]) == (
        "BEST TRANSPORT", "23.72", "0002ZH0104最佳运输0202北京",
    )  # fmt: skip


@pytest.mark.parametrize("amount", ["250000", "250000.00", "250000.0"])
def test_a_code_over_exactly_the_amount_is_taken(amount):
    check(code(**{"54": amount}), 250_000)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("01", "11"), ("53", "840"), ("58", "MY"), ("54", ""), ("54", "250001"), ("54", "250000.5"),
        ("54", "dua"), ("54", "NaN"), ("00", "02"),
    ],
)  # fmt: skip
def test_a_code_that_asks_for_something_else_is_refused(name, value):
    with pytest.raises(QrisInvalid):
        check(code(**{name: value}), 250_000)


@given(st.integers(0, len(code()) - 1), st.characters(codec="ascii"))
def test_no_code_with_one_wrong_character_is_taken(place, sign):
    whole = code()
    spoilt = whole[:place] + sign + whole[place + 1 :]
    if spoilt.upper() == whole.upper() and place >= len(whole) - 4:
        return
    if spoilt != whole:
        with pytest.raises(QrisInvalid):
            check(spoilt, 250_000)


@pytest.mark.parametrize(
    "text", ["", "6304", "0002016304FFFF", code() + "0", code() * 4, "x" * 600]
)
def test_what_is_no_code_is_refused(text):
    with pytest.raises(QrisInvalid):
        objects(text)


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text):
    try:
        objects(text)
    except QrisInvalid:
        return
    assert text[-4:].upper() == checksum(text[:-4])
