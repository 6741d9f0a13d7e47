"""The child process that checks what could take long: `python -m sebalai_gateway.validation.child`.

Standard input, again and again: one line of JSON (`file` of the contract, `side`, `operation`,
`media`, `length`, with `query` and `said` of a request or `status` of an answer), then the body.
Standard output: an empty line at the start and one when the contract is loaded, then the deviations
as one line of JSON. The parent kills it when it takes too long; without a parent it ends by itself.
"""

from __future__ import annotations

import os
import resource
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any

import orjson

from sebalai_gateway.validation.contract import Contract

CPU_SECONDS = 10
MEMORY_BYTES = 512 * 1024 * 1024
CONTRACTS_HELD = 20
KINDNESS = 5


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Calls go first.
    os.nice(KINDNESS)
    held: OrderedDict[str, Contract] = OrderedDict()
    _say(b"")
    while line := sys.stdin.buffer.readline():
        _live_a_little()
        order: dict[str, Any] = orjson.loads(line)
        body = sys.stdin.buffer.read(order["length"])
        contract = held.pop(order["file"], None) or Contract(Path(order["file"]).read_bytes())
        held[order["file"]] = contract
        if len(held) > CONTRACTS_HELD:
            held.popitem(last=False)
        _say(b"")
        _say(orjson.dumps(contract.deviations(order, body)))


def _live_a_little() -> None:
    """A check that its parent has not outlived must not go on for ever."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + CPU_SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _say(line: bytes) -> None:
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
