"""Documents of 100 KB by callers that cost next to nothing: wrk, each document once, each with its
own digest and its own assertion. What is measured is the archive and its database.
"""

from __future__ import annotations

import base64
import hashlib
import os
import sys
from pathlib import Path
from statistics import median

import asyncpg
import psutil
from figures import figure
from wrk import wrk

sys.path.insert(0, str(Path(__file__).parents[2]))

from sebalai_shared.caller import Caller
from sebalai_shared.ids import uuid7

from services.archive.tests.test_crash import WRITER, Server

CALLERS, ROUNDS, SECONDS = 16, 3, 5
DOCUMENTS = 4_000  # more than a round sends
DOCUMENT_BYTES, FIRST_BYTES = 100_000, 32
RATE_TARGET, CPU_TARGET_MS = 300, 3
SCRIPT = Path(__file__).with_name("documents.lua")
DRAFTS = """
    INSERT INTO record (id, agency, application, subject, title, classification_code,
      security_class, dated, state, created_at)
    SELECT id, $2, $3, $4, 'Notula', '000.1.5', 'biasa', current_date, 'draft', now()
    FROM unnest($1::uuid[]) id
"""


async def measure(server: Server, url: str, folder: Path) -> None:
    """Prints the rate and the server's processor a document; medians over the rounds."""
    process = psutil.Process(server.process.pid)
    rates, costs = list[float](), list[float]()
    for _ in range(ROUNDS):
        await _write(server, await _drafts(url, WRITER), folder)
        before = sum(process.cpu_times()[:2])
        told = wrk(server.address, CALLERS, SECONDS, {}, SCRIPT)
        if told["bad"] or told["calls"] >= DOCUMENTS:
            raise SystemExit(f"{told['bad']:.0f} documents of {told['calls']:.0f} were refused")
        costs.append((sum(process.cpu_times()[:2]) - before) / told["calls"] * 1_000)
        rates.append(told["rate"])
    figure("archive.documents.durable", median(rates), "documents/s", ">=", RATE_TARGET)
    figure("archive.documents.server_cpu", median(costs), "ms", "<=", CPU_TARGET_MS)


async def _drafts(url: str, owner: Caller) -> list[str]:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SELECT set_config('archive.rank', 'worker', false)")
        ids = [uuid7() for _ in range(DOCUMENTS)]
        await connection.execute(DRAFTS, ids, owner.agency, owner.application, owner.subject)
    finally:
        await connection.close()
    return [str(one) for one in ids]


async def _write(server: Server, drafts: list[str], folder: Path) -> None:
    """What the script reads."""
    rest = os.urandom(DOCUMENT_BYTES - FIRST_BYTES)
    lines = [_line(server, draft, rest) for draft in drafts]
    for name, content in (("DOCUMENT_REST", rest), ("DOCUMENTS", "\n".join(lines).encode())):
        path = folder / name.lower()
        path.write_bytes(content)
        os.environ[name] = str(path)


def _line(server: Server, draft: str, rest: bytes) -> str:
    first = os.urandom(FIRST_BYTES // 2).hex()
    digest = hashlib.sha256(first.encode() + rest).digest()
    caller = server.headers()["Sebalai-Caller"]
    return f"{draft} {first} {base64.b64encode(digest).decode()} {caller}"
