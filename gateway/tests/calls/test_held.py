"""A body that is taken in before it is forwarded, by more than one who asks for it: the contract,
then the way to another instance, which signs its digest.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_gateway.calls.bodies import RequestBody
from sebalai_gateway.refusals import Refusal

LIMITS = st.lists(st.integers(0, 12), min_size=1, max_size=3)
PIECES = st.lists(st.binary(min_size=1, max_size=3), max_size=6)


def body_of(*pieces, at_hand=None):
    left = iter(pieces)

    async def read():
        return next(left, b"")

    return RequestBody(read, 10**9, None, at_hand)


async def all_of(body):
    return b"".join([chunk async for chunk in body.stream()])


async def test_who_asks_second_gets_the_same_body():
    """It got nothing, and the digest of nothing was signed for the other instance."""
    body = body_of(b"ab", b"cd")
    assert [await body.hold(10, is_whole_needed=False) for _ in range(2)] == [b"abcd"] * 2
    assert await all_of(body) == b"abcd"


async def test_body_too_large_for_the_first_is_not_shortened_by_the_second():
    """The second took the rest for all there is: a body without its beginning was sent, chunked,
    under a digest that fitted.
    """
    body = body_of(b"ab", b"cd", b"ef")
    assert await body.hold(3, is_whole_needed=False) is None
    assert await body.hold(5, is_whole_needed=False) is None
    assert await body.hold(6, is_whole_needed=False) == b"abcdef"
    assert await all_of(body) == b"abcdef"


@given(PIECES, LIMITS, st.booleans())
async def test_nothing_of_a_body_is_lost_whoever_asked_for_it(pieces, limits, is_at_hand):
    said = b"".join(pieces)
    body = body_of(*pieces, at_hand=(lambda: said) if is_at_hand else None)
    for limit in limits:
        held = await body.hold(limit, is_whole_needed=False)
        assert held == (said if len(said) <= limit else None)
    assert await all_of(body) == said
    assert body.measure.size == len(said)


async def test_what_must_be_whole_and_is_too_large_is_refused():
    with pytest.raises(Refusal, match="body-too-large"):
        await body_of(b"ab", b"cd").hold(3, is_whole_needed=True)
