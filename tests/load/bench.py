"""Measures suites beside a well-known peer on the same machine: `make bench SUITE=calls`.

Rounds are interleaved (peer, ours, peer, ours …) and medians taken, because a shared machine
changes speed by a third from minute to minute: read ratios, not absolute numbers. One line a
figure: `figure <name> <value> <unit> target <relation> <target>`; docs/benchmarks.md keeps a run.
"""

from __future__ import annotations

import sys

import archive
import archive_large
import archive_search
import calls
import catalogue
import events
import identity
import proxies

SUITES = {
    "archive": archive.run,
    "archive-large": archive_large.run,
    "archive-search": archive_search.run,
    "calls": lambda: (proxies.run(), calls.run()),
    "catalogue": catalogue.run,
    "events": events.run,
    "identity": identity.run,
    "proxies": proxies.run,
}


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in SUITES]
    if unknown:
        sys.stderr.write(f"no suite {', '.join(unknown)}; there is: {', '.join(SUITES)}\n")
        return 2
    for name in names or list(SUITES):
        SUITES[name]()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
