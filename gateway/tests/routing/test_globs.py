"""Path globs mean what their three signs say, and every pattern comes to an end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_gateway.routing.globs import GLOB_LENGTH_MAX, compile_glob


@pytest.mark.parametrize(
    ("pattern", "path", "is_match"),
    [
        ("/residents", "/residents", True),
        ("/residents", "/residents/", False),
        ("/residents", "/Residents", False),
        ("/residents/*", "/residents/12", True),
        ("/residents/*", "/residents/", True),
        ("/residents/*", "/residents/12/cards", False),
        ("/residents/*", "/residents", False),
        ("/residents/*/cards", "/residents/12/cards", True),
        ("/residents/*/cards", "/residents/1/2/cards", False),
        ("/re*ts", "/residents", True),
        ("/re*ts", "/re/ts", False),
        ("/a/**", "/a/", True),
        ("/a/**", "/a/b/c", True),
        ("/a/**", "/a", False),
        ("/a/**", "/ab", False),
        ("/**", "/", True),
        ("/**", "/a/b/c", True),
        ("/a/**/z", "/a/b/c/z", True),
        ("/a/**/z", "/a//z", True),
        ("/a/**/z", "/a/z", False),
        ("/a/***", "/a/b/c", True),
        (r"/a\*", "/a*", True),
        (r"/a\*", "/ab", False),
        (r"/a\*", r"/a\b", False),
        (r"/\**", "/*abc", True),
        (r"/\**", "/abc", False),
        (r"/*\*", "/abc*", True),
        (r"/*\*", "/abc", False),
        ("/a.c", "/abc", False),
        ("/[a]", "/a", False),
        ("/(a|b)+", "/a", False),
        ("/a?", "/a", False),
        ("/a$", "/a", False),
        ("/a", "/a\n", False),
    ],
)
def test_glob_matches_whole_paths(pattern, path, is_match):
    assert compile_glob(pattern)(path) is is_match


@pytest.mark.parametrize("pattern", ["", "a", "*", "**", r"\*", "/" + "a" * GLOB_LENGTH_MAX])
def test_glob_that_is_no_path_or_too_long_is_refused(pattern):
    with pytest.raises(ValueError, match="a glob begins with /"):
        compile_glob(pattern)


def signs_of(pattern):
    """The pattern as a list: a character, or one of the two wildcards."""
    signs, at = [], 0
    while at < len(pattern):
        if pattern.startswith(r"\*", at):
            signs.append("*")
            at += 2
        elif pattern[at] == "*":
            end = at
            while end < len(pattern) and pattern[end] == "*":
                end += 1
            signs.append("DEEP" if end - at > 1 else "WIDE")
            at = end
        else:
            signs.append(pattern[at])
            at += 1
    return signs


def naive(signs, path):
    """The definition, word for word; exponential, so only for short paths."""
    if not signs:
        return path == ""
    sign, rest = signs[0], signs[1:]
    if sign not in ("DEEP", "WIDE"):
        return path[:1] == sign and naive(rest, path[1:])
    if naive(rest, path):
        return True
    is_passable = path != "" and (sign == "DEEP" or path[0] != "/")
    return is_passable and naive(signs, path[1:])


@given(
    st.lists(st.sampled_from(["a", "b", "/", "*", "**", r"\*", "\\"]), max_size=8),
    st.text(alphabet="ab/*\\", max_size=8),
)
def test_glob_agrees_with_the_naive_matcher(pieces, rest):
    pattern, path = "/" + "".join(pieces), "/" + rest
    assert compile_glob(pattern)(path) is naive(signs_of(pattern), path)


@pytest.mark.parametrize("star", ["*", "**"])
def test_adversarial_glob_ends(star):
    matches = compile_glob("/" + f"{star}a" * 127 + "b")
    assert not matches("/" + "a" * 4_000)
    assert matches("/" + "a" * 3_999 + "b")


class Counted(str):
    """Counts how often a matcher searches in it: the matcher's work, whatever the machine."""

    __slots__ = ("searches",)

    def find(self, *arguments):
        self.searches = getattr(self, "searches", 0) + 1
        return super().find(*arguments)


def test_each_star_walks_a_segment_once():
    path = Counted("/" + "a" * 4_000)
    assert not compile_glob("/" + "*a" * 20 + "b")(path)
    assert path.searches <= 20
