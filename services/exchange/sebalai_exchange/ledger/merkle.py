"""The Merkle tree of RFC 9162 over tiles of 256 hashes (C2SP tlog-tiles).

Owns hashing, growing the tiles, roots and proofs from tiles. Knows neither storage nor what a
leaf says: callers bring the tiles a function asks for and store the tiles it hands back.

A node (level, index) is the root of the perfect subtree over leaves [index << level,
(index + 1) << level). A tile (level, index) holds up to 256 nodes of tree level 8 * level.
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256

HASH_BYTES = 32
TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
TILE_BYTES = TILE_WIDTH * HASH_BYTES

Tiles = Mapping[tuple[int, int], bytes]
Range = tuple[int, int]

EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(leaf: bytes) -> bytes:
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def right_edge(size: int) -> list[tuple[int, int]]:
    """The partly filled tiles of a tree of this size: all that is needed to grow it."""
    edge: list[tuple[int, int]] = []
    level, width = 0, size
    while width:
        if width % TILE_WIDTH:
            edge.append((level, width >> TILE_HEIGHT))
        level, width = level + 1, width >> TILE_HEIGHT
    return edge


def grow(edge: Tiles, size: int, hashes: Sequence[bytes]) -> dict[tuple[int, int], bytes]:
    """The tiles that change when `hashes` follow the first `size` leaves.

    `edge` must hold the tiles of `right_edge(size)`. The edge of the new tree is in the answer or
    in `edge`.
    """
    changed: dict[tuple[int, int], bytes] = {}
    level, width, fresh = 0, size, b"".join(hashes)
    while fresh:
        index, used = divmod(width, TILE_WIDTH)
        content = (edge[level, index][: used * HASH_BYTES] if used else b"") + fresh
        parents: list[bytes] = []
        for offset in range(0, len(content), TILE_BYTES):
            tile = content[offset : offset + TILE_BYTES]
            changed[level, index + offset // TILE_BYTES] = tile
            if len(tile) == TILE_BYTES:
                parents.append(_fold_perfect(tile))
        level, width, fresh = level + 1, width >> TILE_HEIGHT, b"".join(parents)
    return changed


def root(tiles: Tiles, size: int) -> bytes:
    """The root of the first `size` leaves; needs the tiles of `tiles_for([(0, size)])`."""
    return range_hash(tiles, (0, size)) if size else EMPTY_ROOT


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """The leaf ranges whose hashes prove leaf `index` in a tree of `size`, in proof order."""
    if not 0 <= index < size:
        raise ValueError("the index lies outside the tree")
    ranges: list[Range] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return ranges[::-1]


def consistency_ranges(old: int, new: int) -> list[Range]:
    """The leaf ranges whose hashes prove that the tree of `old` is a prefix of `new`'s."""
    if not 0 < old <= new:
        raise ValueError("a consistency proof needs 0 < old size <= new size")
    ranges: list[Range] = []
    start, end, whole = 0, new, True
    while old < end:
        middle = start + _split(end - start)
        if old <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start, whole = middle, False
    if not whole:
        ranges.append((start, end))
    return ranges[::-1]


def tiles_for(ranges: Iterable[Range]) -> set[tuple[int, int]]:
    """Which tiles the hashes of these ranges are made from."""
    return {_tile_of(level, index) for span in ranges for level, index in _nodes(span)}


def range_hash(tiles: Tiles, span: Range) -> bytes:
    """The hash of the leaves [start, end); start is a multiple of a power of two >= length."""
    hashes = [_node_from_tile(tiles, level, index) for level, index in _nodes(span)]
    result = hashes.pop()
    while hashes:
        result = node_hash(hashes.pop(), result)
    return result


def _split(length: int) -> int:
    """The largest power of two below `length`."""
    return 1 << ((length - 1).bit_length() - 1)


def _nodes(span: Range) -> list[tuple[int, int]]:
    """The perfect subtrees of a range, left to right."""
    start, end = span
    nodes: list[tuple[int, int]] = []
    for level in range((end - start).bit_length() - 1, -1, -1):
        if (end - start) >> level & 1:
            nodes.append((level, start >> level))
            start += 1 << level
    return nodes


def _tile_of(level: int, index: int) -> tuple[int, int]:
    tile_level, height = divmod(level, TILE_HEIGHT)
    return tile_level, index << height >> TILE_HEIGHT


def _node_from_tile(tiles: Tiles, level: int, index: int) -> bytes:
    height = level % TILE_HEIGHT
    first = (index << height) % TILE_WIDTH
    tile = tiles[_tile_of(level, index)]
    hashes = tile[first * HASH_BYTES : (first + (1 << height)) * HASH_BYTES]
    if len(hashes) != HASH_BYTES << height:
        raise ValueError("the tile is shorter than the tree says")
    return _fold_perfect(hashes)


def _fold_perfect(hashes: bytes) -> bytes:
    """The root over a power of two of concatenated hashes."""
    while len(hashes) > HASH_BYTES:
        pair = 2 * HASH_BYTES
        hashes = b"".join(
            sha256(b"\x01" + hashes[at : at + pair]).digest() for at in range(0, len(hashes), pair)
        )
    return hashes
