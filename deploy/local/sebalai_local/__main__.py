"""`sebalai`: the platform on this machine. `sebalai --help` lists what it does."""

from __future__ import annotations

import sys

from sebalai_local.cli import run


def main() -> None:
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
