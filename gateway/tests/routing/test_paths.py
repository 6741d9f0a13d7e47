"""A path is read in one way only: refused where two readers could differ, else a fixed point."""

from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sebalai_gateway.refusals import Refusal
from sebalai_gateway.routing.paths import PATH_BYTES_LIMIT, parse

BASE = b"/r1/ID-BB/GOV/dp3acskb/kependudukan/penduduk"


def slug_of(raw_path):
    with pytest.raises(Refusal) as caught:
        parse(raw_path)
    assert caught.value.status == 400
    assert caught.value.detail
    return caught.value.slug


@pytest.mark.parametrize(
    ("rest", "slug"),
    [
        (b"/.", "path-traversal"),
        (b"/..", "path-traversal"),
        (b"/a/../b", "path-traversal"),
        (b"/a/./b", "path-traversal"),
        (b"/%2e", "path-traversal"),
        (b"/%2e%2e", "path-traversal"),
        (b"/%2E%2e/b", "path-traversal"),
        (b"/.%2e/b", "path-traversal"),
        (b"/%252e", "path-double-encoded"),
        (b"/%252e%252e", "path-double-encoded"),
        (b"/%25%32%65", "path-double-encoded"),
        (b"/a%252fb", "path-double-encoded"),
        (b"/a%2fb", "path-encoded-slash"),
        (b"/a%2Fb", "path-encoded-slash"),
        (b"/..%2fb", "path-encoded-slash"),
        (b"/a%5cb", "path-encoded-slash"),
        (b"/a\\b", "path-encoded-slash"),
        (b"/..;/b", "path-parameter"),
        (b"/a;b=c", "path-parameter"),
        (b"/a%3bb", "path-parameter"),
        (b"/a%3Bb", "path-parameter"),
        (b"//", "path-empty-segment"),
        (b"//a", "path-empty-segment"),
        (b"/a//b", "path-empty-segment"),
        (b"/a//", "path-empty-segment"),
        (b"/a%00", "path-control"),
        (b"/a%0d%0a", "path-control"),
        (b"/a%7f", "path-control"),
        (b"/a%c2%85", "path-control"),
        (b"/a%e2%80%ae", "path-control"),
        (b"/%ff", "path-encoding"),
        (b"/%c0%ae", "path-encoding"),
        (b"/%ed%a0%80", "path-encoding"),
        (b"/%zz", "path-encoding"),
        (b"/%", "path-encoding"),
        (b"/%4", "path-encoding"),
        (b"/\xc3\xa9", "path-encoding"),
        (b"/\xff", "path-encoding"),
        (b"/a\x00", "path-encoding"),
        (b"/a b", "path-encoding"),
        (b"/a\r\nX: y", "path-encoding"),
        (b"/" + b"a" * PATH_BYTES_LIMIT, "path-too-long"),
    ],
)
def test_ambiguous_path_is_refused_with_its_reason(rest, slug):
    assert slug_of(BASE + rest) == slug


@pytest.mark.parametrize(
    "raw_path",
    [
        b"/r1/",
        b"/r1/ID-BB/GOV/dp3acskb/kependudukan",
        b"/r1/id-bb/GOV/dp3acskb/kependudukan/penduduk",
        b"/r1/ID-BB/gov/dp3acskb/kependudukan/penduduk",
        b"/r1/ID-BB/GOV/DP3ACSKB/kependudukan/penduduk",
        b"/r1/ID-BB/GOV/dp3acskb/kepen_dudukan/penduduk",
        b"/r1/ID-BB/GOV/dp3acskb/kependudukan/",
        b"/r1/ID-BB/GOV/dp3acskb/kependudukan/pendu%20duk",
        b"/r1/ID-BB/GOV/dp3acskb/kependudukan/" + b"a" * 41,
        b"/r1/" + b"A" * 21 + b"/GOV/dp3acskb/kependudukan/penduduk",
        b"/r1/ID-BB/GOV/dp3acskb/kependudukan/%ef%bc%91",
    ],
)
def test_bad_identifier_is_refused(raw_path):
    assert slug_of(raw_path) == "path-identifier"


@pytest.mark.parametrize("raw_path", [b"", b"/", b"/r1", b"/R1/a", b"//r1/a", b"/api/exchange"])
def test_path_outside_the_bus_is_refused(raw_path):
    assert slug_of(raw_path) in {"path-identifier", "path-empty-segment", "path-encoding"}


@pytest.mark.parametrize(
    ("rest", "path", "raw"),
    [
        (b"", "/", b"/"),
        (b"/", "/", b"/"),
        (b"/residents", "/residents", b"/residents"),
        (b"/residents/", "/residents/", b"/residents/"),
        (b"/%72esidents", "/residents", b"/residents"),
        (b"/a%20b", "/a b", b"/a%20b"),
        (b"/%c3%a9", "/é", b"/%C3%A9"),
        (b"/a:b@c,d=e", "/a:b@c,d=e", b"/a:b@c,d=e"),
        (b"/...", "/...", b"/..."),
        (b"/.well-known", "/.well-known", b"/.well-known"),
        (b"/100%25", "/100%", b"/100%25"),
        (b"/a%3fb%23c", "/a?b#c", b"/a%3Fb%23c"),
        (b'/{a}|"', '/{a}|"', b"/%7Ba%7D%7C%22"),
    ],
)
def test_plain_path_is_forwarded_in_the_form_that_rules_match(rest, path, raw):
    target = parse(BASE + rest)
    assert (target.path, target.raw) == (path, raw)
    assert target.application == "ID-BB/GOV/dp3acskb/kependudukan"
    assert target.interface == "ID-BB/GOV/dp3acskb/kependudukan/penduduk"
    assert target.agency == "dp3acskb"


def test_the_longest_path_allowed_is_taken():
    rest = b"/" + b"a" * (PATH_BYTES_LIMIT - len(BASE) - 1)
    assert parse(BASE + rest).raw == rest


PIECES = st.sampled_from(
    ["/", ".", "..", "%2e", "%252e", "%2f", "%5c", ";", "%3b", "%25", "%", "a", "~", "%41", "%c3",
     "%a9", "é", " ", "%20", "?", "#", "{", "*", "%00", "2e", "\\"]
)  # fmt: skip
PATHS = st.one_of(
    st.lists(PIECES, max_size=12).map(lambda pieces: "".join(pieces).encode()),
    st.binary(max_size=24),
    st.text(max_size=12).map(lambda text: quote(text, safe="/").encode()),
)


@given(PATHS)
@example(b"%25%32e")
@example(b".%2e/")
def test_accepted_path_has_no_dot_segment_and_is_a_fixed_point(rest):
    try:
        target = parse(BASE + b"/" + rest)
    except Refusal:
        return
    segments = target.path.split("/")
    assert not {".", ".."} & set(segments)
    assert "" not in segments[1:-1]
    again = parse(BASE + target.raw)
    assert (again.path, again.raw) == (target.path, target.raw)
