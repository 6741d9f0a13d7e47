"""What is sealed comes back, whole or in part; nothing else is ever given out as content."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sebalai_archive.content.frames import (
    FRAME_BYTES,
    SEALED_FRAME_BYTES,
    Opener,
    SealBroken,
    Sealer,
    new_key,
    sealed_size,
)

SIZES = (0, 1, FRAME_BYTES - 1, FRAME_BYTES, FRAME_BYTES + 1, 3 * FRAME_BYTES, 200_000)
sizes = st.one_of(st.sampled_from(SIZES), st.integers(0, 4 * FRAME_BYTES))


def content(size):
    return bytes(range(251)) * (size // 251) + bytes(size % 251)


def sealed(key, data, piece=70_001):
    sealer = Sealer(key)
    parts = [sealer.seal(data[at : at + piece]) for at in range(0, len(data), piece)]
    return b"".join([*parts, sealer.finish()])


def opened(key, size, box, start, end):
    opener = Opener(key, size)
    first, last = opener.span(start, end)
    return opener.open(box[first:last], start, end)


@given(sizes, st.integers(1, 3 * FRAME_BYTES), st.data())
def test_every_range_of_every_content_comes_back_however_it_was_cut(size, piece, data):
    key, plain = new_key(), content(size)
    box = sealed(key, plain, piece)
    assert len(box) == sealed_size(size)
    start = data.draw(st.integers(0, size))
    end = data.draw(st.integers(start, size))
    assert opened(key, size, box, start, end) == plain[start:end]
    assert opened(key, size, box, 0, size) == plain


@given(sizes.filter(bool), st.data())
def test_a_changed_byte_is_never_given_out(size, data):
    key = new_key()
    box = bytearray(sealed(key, content(size)))
    box[data.draw(st.integers(0, len(box) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SealBroken):
        opened(key, size, bytes(box), 0, size)


def test_frames_cannot_be_moved_left_out_or_cut_off():
    key, size = new_key(), 3 * FRAME_BYTES
    box = sealed(key, content(size))
    first, second, third = (
        box[at : at + SEALED_FRAME_BYTES] for at in range(0, len(box), SEALED_FRAME_BYTES)
    )
    for wrong in (second + first + third, first + third, first + second, first + second + second):
        with pytest.raises(SealBroken):
            opened(key, size, wrong, 0, size)
    # Whoever tells a smaller size to hide the cut fails at the mark of the last frame.
    with pytest.raises(SealBroken):
        opened(key, 2 * FRAME_BYTES, first + second, 0, 2 * FRAME_BYTES)


def test_another_key_opens_nothing():
    box = sealed(new_key(), b"rahasia")
    with pytest.raises(SealBroken):
        opened(new_key(), 7, box, 0, 7)
