"""A cursor is taken as its list gave it, or refused."""

import pytest
from sebalai_services_catalog.cursors import id_of, position_of, text_of, texts_of
from sebalai_shared.pagination import BadCursor, encode_cursor


def test_what_a_list_gave_is_taken():
    assert text_of(encode_cursor(["jalan"])) == "jalan"
    assert texts_of(encode_cursor(["Jalan", "jalan"])) == ("Jalan", "jalan")
    assert [read(None) for read in (text_of, texts_of, id_of, position_of)] == [None] * 4


@pytest.mark.parametrize(
    ("read", "key"), [(text_of, [7]), (text_of, [None]), (texts_of, ["a", 7]), (id_of, ["a"]), (position_of, [-1])]
)  # fmt: skip
def test_what_another_list_gave_is_refused(read, key):
    with pytest.raises(BadCursor):
        read(encode_cursor(key))
