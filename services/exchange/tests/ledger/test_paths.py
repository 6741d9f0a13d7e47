"""The paths of C2SP tlog-tiles, read exactly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_exchange.ledger.paths import MalformedPathError, TilePath, bundle, parse_path


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("0/000", TilePath(0, 0, 256)),
        ("0/x001/x234/067", TilePath(0, 1_234_067, 256)),
        ("1/017.p/8", TilePath(1, 17, 8)),
        ("entries/x001/000.p/255", TilePath(None, 1000, 255)),
    ],
)
def test_path_of_the_standard_is_read(text, path):
    assert parse_path(text) == path


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "0/0",
        "0/0000",
        "0/x000/001",
        "0/001/002",
        "8/000",
        "-1/000",
        "0/000.p/0",
        "0/000.p/01",
        "0/000.p/256",
        "0/000.p/",
        "0/000/",
        "entry/000",
        "0/../000",
        "0/٠٠٠",
    ],
)
def test_any_other_path_is_refused(text):
    with pytest.raises(MalformedPathError):
        parse_path(text)


@given(st.lists(st.text(alphabet="ab{}", max_size=300), max_size=5))
def test_bundle_can_be_taken_apart_again(leaves):
    content, found = bundle(leaves), []
    while content:
        length = 2 + int.from_bytes(content[:2])
        found.append(content[2:length].decode())
        content = content[length:]
    assert found == leaves
