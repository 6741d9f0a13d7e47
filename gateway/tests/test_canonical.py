"""The path of a call: what is matched is what is forwarded, whatever was sent."""

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_gateway.refusals import Refusal
from sebalai_gateway.routing.globs import compile_glob
from sebalai_gateway.routing.paths import canonical, encode, parse

BASE = b"/r1/ID-BB/GOV/dp3acskb/kependudukan/penduduk"
PIECES = st.sampled_from(
    [b"/", b".", b"..", b"%2e", b"%2E%2e", b"%252e", b"%2f", b"%5c", b"\\", b";", b"%3b", b"%00",
     b"%7f", b"%ff", b"%c3%a9", b"%", b"%2", b"%zz", b"a", b"residents", b"*", b"~", b"@", b":", b" "]
)  # fmt: skip


def refused_by_name(refusal):
    assert (refusal.status, refusal.slug[:5]) == (400, "path-")


@given(st.lists(PIECES, max_size=8).map(b"".join))
def test_what_passes_holds_no_dot_segment_and_reads_the_same_again(tail):
    try:
        segments = canonical(b"/" + tail)
    except Refusal as refusal:
        refused_by_name(refusal)
        return
    forwarded = encode(segments)
    assert not {".", ".."} & set(segments)
    assert not any(mark in segment for segment in segments for mark in "/\\;\0")
    assert canonical(forwarded) == segments
    assert forwarded.startswith(b"/")
    assert not forwarded.startswith(b"//")
    # A provider that decodes a second time finds nothing new in it.
    assert unquote("/".join(segments)) == "/".join(segments)


@given(st.lists(PIECES | st.sampled_from([b"a", b"A", b"0", b"-"]), max_size=8).map(b"".join))
def test_plain_path_is_read_as_its_percent_encoded_twin(tail):
    # What is its own canonical form passes without a second look; with an escape it does not.
    plain, twin = b"/a" + tail, b"/%61" + tail
    assert read(plain) == read(twin)


def read(path):
    try:
        segments = canonical(path)
    except Refusal as refusal:
        return refusal.slug
    return segments, encode(segments)


@given(st.text(max_size=20))
def test_any_text_in_a_segment_is_refused_or_kept(text):
    try:
        target = parse(BASE + b"/" + encode([text])[1:])
    except Refusal:
        return
    assert target.path == f"/{text}"


@pytest.mark.parametrize(
    ("tail", "slug"),
    [(b"/%2e%2e/x", "path-traversal"), (b"/../x", "path-traversal"), (b"/./x", "path-traversal"),
     (b"/%252e%252e/x", "path-double-encoded"), (b"/a%2fb", "path-encoded-slash"),
     (b"/a%5cb", "path-encoded-slash"), (b"/a\\b", "path-encoded-slash"),
     (b"/a;b", "path-parameter"), (b"/a%3Bb", "path-parameter"), (b"//a", "path-empty-segment"),
     (b"/a//b", "path-empty-segment"), (b"/%00", "path-control"), (b"/%0d%0a", "path-control"),
     (b"/%c2%85", "path-control"), (b"/%ff", "path-encoding"), (b"/%c0%ae", "path-encoding"),
     (b"/%zz", "path-encoding"), (b"/%", "path-encoding"), (b"/\xc3\xa9", "path-encoding"),
     (b"/a b", "path-encoding"), (b"/" + b"a" * 5000, "path-too-long")],
)  # fmt: skip
def test_a_path_with_two_readings_is_refused_by_name(tail, slug):
    with pytest.raises(Refusal) as refused:
        parse(BASE + tail)
    assert refused.value.slug == slug


@pytest.mark.parametrize(
    "path",
    [b"/r1/ID-BB/GOV/a/b", b"/r1/ID-BB/GOV/a/b/", b"/r1/id-bb/GOV/a/b/c", b"/r1/ID-BB/GOV/A/b/c",
     b"/%72%31%2fx/GOV/a/b/c/d", b"/r2/ID-BB/GOV/a/b/c"],
)  # fmt: skip
def test_identifiers_that_cannot_be_names_are_refused(path):
    with pytest.raises(Refusal) as refused:
        parse(path)
    assert refused.value.status == 400


def naive(glob, path):
    """The plainest reading of a glob, exponential and therefore only for tests."""
    if not glob:
        return not path
    if glob.startswith("\\*"):
        return path.startswith("*") and naive(glob[2:], path[1:])
    if glob.startswith("**"):
        rest = glob.lstrip("*")
        return any(naive(rest, path[at:]) for at in range(len(path) + 1))
    if glob.startswith("*"):
        end = path.find("/") if "/" in path else len(path)
        return any(naive(glob[1:], path[at:]) for at in range(end + 1))
    return path[:1] == glob[0] and naive(glob[1:], path[1:])


@given(
    st.lists(st.sampled_from(["a", "b", "/", "*", "**", "\\*"]), max_size=7).map("".join),
    st.text(alphabet="ab/*", max_size=8),
)
def test_globs_match_as_the_plainest_reading_does(glob, path):
    assert compile_glob("/" + glob)("/" + path) == naive("/" + glob, "/" + path)
