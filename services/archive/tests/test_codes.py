from hypothesis import given
from hypothesis import strategies as st
from sebalai_archive.codes import ancestors_of, path_of

codes = st.builds(
    lambda head, tail: ".".join([f"{head:03}", *map(str, tail)]),
    st.integers(0, 999),
    st.lists(st.integers(1, 9999), max_size=8),
)


def test_twenty_is_not_two():
    assert path_of("400.2") == [400, 2]
    assert path_of("400.20") == [400, 20]


@given(codes, codes)
def test_codes_differ_where_their_paths_differ(one, other):
    assert (one == other) == (path_of(one) == path_of(other))


@given(codes)
def test_ancestors_are_the_prefixes_of_the_path_nearest_first(code):
    found = [path_of(ancestor) for ancestor in ancestors_of(code)]
    whole = path_of(code)
    assert found == [whole[:length] for length in range(len(whole), 0, -1)]
