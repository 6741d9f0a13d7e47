"""Tiles against hashing straight from the text of RFC 9162."""

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sebalai_exchange.ledger import merkle


def split(n):
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def naive_root(leaves):
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\0" + leaves[0]).digest()
    k = split(len(leaves))
    return sha256(b"\1" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def naive_path(index, leaves):
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if index < k:
        return [*naive_path(index, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(index - k, leaves[k:]), naive_root(leaves[:k])]


def naive_consistency(old, leaves, *, whole=True):
    if old == len(leaves):
        return [] if whole else [naive_root(leaves)]
    k = split(len(leaves))
    if old <= k:
        return [*naive_consistency(old, leaves[:k], whole=whole), naive_root(leaves[k:])]
    return [*naive_consistency(old - k, leaves[k:], whole=False), naive_root(leaves[:k])]


def leaves_of(size):
    return [b"leaf %d" % i for i in range(size)]


def grown(*batches):
    """The tiles after these batch sizes, growing only from the right edge, as the store does."""
    tiles, size = {}, 0
    for batch in batches:
        hashes = [merkle.leaf_hash(b"leaf %d" % i) for i in range(size, size + batch)]
        edge = {at: tiles[at] for at in merkle.right_edge(size)}
        tiles |= merkle.grow(edge, size, hashes)
        size += batch
    return tiles


def needed(tiles, ranges):
    return {at: tiles[at] for at in merkle.tiles_for(ranges)}


# Certificate Transparency's own test leaves and roots (RFC 6962 reference implementation).
CT_LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
CT_INCLUSION = {
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
}
CT_CONSISTENCY = {
    (1, 1): [],
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
}


def ct_tiles():
    return merkle.grow({}, 0, [merkle.leaf_hash(leaf) for leaf in CT_LEAVES])


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_the_reference_implementation(size):
    assert merkle.root(ct_tiles(), size).hex() == CT_ROOTS[size - 1]


def test_proofs_are_those_of_the_reference_implementation():
    tiles = ct_tiles()
    for (index, size), proof in CT_INCLUSION.items():
        ranges = merkle.inclusion_ranges(index, size)
        assert [merkle.range_hash(tiles, span).hex() for span in ranges] == proof
    for (old, new), proof in CT_CONSISTENCY.items():
        ranges = merkle.consistency_ranges(old, new)
        assert [merkle.range_hash(tiles, span).hex() for span in ranges] == proof


def test_empty_tree_has_the_hash_of_nothing():
    assert merkle.root({}, 0) == naive_root([])
    assert merkle.right_edge(0) == []
    assert merkle.grow({}, 0, []) == {}


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(1, 400), min_size=1, max_size=5))
def test_growing_in_any_batches_gives_the_tree_and_only_appends_to_tiles(batches):
    size = sum(batches)
    tiles = grown(*batches)
    assert tiles == grown(size)
    assert merkle.root(needed(tiles, [(0, size)]), size) == naive_root(leaves_of(size))
    older = grown(*batches[:-1])
    for at, tile in older.items():
        assert tiles[at].startswith(tile)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 700), st.data())
def test_inclusion_proof_is_that_of_the_standard(size, data):
    index = data.draw(st.integers(0, size - 1))
    ranges = merkle.inclusion_ranges(index, size)
    proof = [merkle.range_hash(needed(grown(size), [span]), span) for span in ranges]
    assert proof == naive_path(index, leaves_of(size))


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 700), st.data())
def test_consistency_proof_is_that_of_the_standard(new, data):
    old = data.draw(st.integers(1, new))
    tiles = grown(new)
    ranges = merkle.consistency_ranges(old, new)
    proof = [merkle.range_hash(needed(tiles, [span]), span) for span in ranges]
    assert proof == naive_consistency(old, leaves_of(new))


def test_third_level_of_tiles_holds():
    size = 256 * 256 + 300
    hashes = [merkle.leaf_hash(b"leaf %d" % i) for i in range(size)]
    tiles = merkle.grow({}, 0, hashes[:65_000])
    tiles |= merkle.grow(
        {at: tiles[at] for at in merkle.right_edge(65_000)}, 65_000, hashes[65_000:]
    )
    assert len(tiles[2, 0]) == merkle.HASH_BYTES
    edge = {at: tiles[at] for at in merkle.right_edge(size)}
    assert sorted(edge) == [(0, 257), (1, 1), (2, 0)]
    assert merkle.root(needed(tiles, [(0, size)]), size) == naive_root(leaves_of(size))


def test_tile_shorter_than_the_tree_is_refused():
    with pytest.raises(ValueError, match="shorter"):
        merkle.root(grown(6), 7)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 3), (3, 3)])
def test_index_outside_the_tree_is_refused(index, size):
    with pytest.raises(ValueError, match="outside"):
        merkle.inclusion_ranges(index, size)


@pytest.mark.parametrize(("old", "new"), [(0, 3), (-1, 3), (4, 3)])
def test_consistency_of_impossible_sizes_is_refused(old, new):
    with pytest.raises(ValueError, match="0 < old"):
        merkle.consistency_ranges(old, new)
