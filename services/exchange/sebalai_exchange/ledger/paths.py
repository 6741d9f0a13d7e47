"""Tile paths and entry bundles as C2SP tlog-tiles writes them.

Pure. With these, `/v1/ledger/{log}/` is the prefix any tlog-tiles client can read a log from.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sebalai_exchange.ledger.merkle import TILE_WIDTH

LEVEL_MAX = 7
LENGTH_BYTES = 2
_PATH = re.compile(
    r"(?P<level>entries|[0-9])/(?P<number>(?:x[0-9]{3}/){0,4}[0-9]{3})(?:\.p/(?P<width>[0-9]{1,3}))?"
)


class MalformedPathError(ValueError):
    """Not a path of tlog-tiles."""


@dataclass(frozen=True)
class TilePath:
    """`level` is None for a bundle of entries; `width` how many hashes or entries are wanted."""

    level: int | None
    number: int
    width: int


def parse_path(text: str) -> TilePath:
    """Reads `0/x001/234`, `1/000.p/17` or `entries/000`. Raises `MalformedPathError`."""
    parts = _PATH.fullmatch(text)
    if parts is None:
        raise MalformedPathError("a tile path looks like 0/x001/234, 0/000.p/17 or entries/000")
    number = parts["number"]
    if number.startswith("x000/"):
        raise MalformedPathError("a tile number has no leading x000")
    width = parts["width"]
    if width is not None and (width.startswith("0") or int(width) >= TILE_WIDTH):
        raise MalformedPathError(f"a partial tile holds 1 to {TILE_WIDTH - 1} hashes")
    level = None if parts["level"] == "entries" else int(parts["level"])
    if level is not None and level > LEVEL_MAX:
        raise MalformedPathError(f"levels go from 0 to {LEVEL_MAX}")
    return TilePath(level, int(re.sub("[x/]", "", number)), int(width or TILE_WIDTH))


def bundle(leaves: Sequence[str]) -> bytes:
    """Entries one after the other, each behind its length in two bytes, big-endian."""
    encoded = [leaf.encode() for leaf in leaves]
    return b"".join(len(leaf).to_bytes(LENGTH_BYTES) + leaf for leaf in encoded)
