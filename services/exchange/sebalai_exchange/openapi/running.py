"""Starts the child that reads a contract, bounds it, and takes its answer.

Limits: 2 s of processor time and 256 MB for the child (it sets them itself), WAIT_SECONDS by the
clock, CHILDREN_MAX at once. A child that crosses one ends; the platform goes on. It may last
twelve seconds, so nobody reads inside a transaction.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from typing import Any

import orjson
from sebalai_shared.problems import Unavailable

DOCUMENT_BYTES_MAX = 16 * 1024 * 1024
ANSWER_BYTES_MAX = 6 * DOCUMENT_BYTES_MAX
WAIT_SECONDS = 8.0
QUEUE_SECONDS = 4.0
CHILDREN_MAX = 2
MODULE = "sebalai_exchange.openapi.child"


class ContractRefused(Exception):
    """The document cannot be published; `pointer` says where in it, `detail` why."""

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(detail)
        self.pointer, self.detail = pointer, detail


@dataclass(frozen=True)
class ReadContract:
    """`outline` lists [method, path, operationId]; `pack` is empty unless calls are checked."""

    sha256: str
    version: str
    breaks: list[str]
    canonical: str
    outline: str
    served: str
    pack: str


@dataclass(frozen=True)
class Reading:
    """What to read: the document, the former one to compare with, and where calls will go."""

    document: bytes
    former: bytes | None
    server: str
    is_checked: bool


class ContractReader:
    """One a process; its semaphore bounds the children."""

    def __init__(self, public_url: str, wait_seconds: float = WAIT_SECONDS) -> None:
        self.public_url = public_url.rstrip("/")
        self._free, self._wait_seconds = asyncio.Semaphore(CHILDREN_MAX), wait_seconds

    async def read(self, wanted: Reading) -> ReadContract:
        """Raises: ContractRefused, Unavailable (others are being read)."""
        if len(wanted.document) > DOCUMENT_BYTES_MAX:
            raise ContractRefused("", f"it is larger than {DOCUMENT_BYTES_MAX} bytes")
        try:
            async with asyncio.timeout(QUEUE_SECONDS):
                await self._free.acquire()
        except TimeoutError as error:
            raise Unavailable("Other contracts are being read; try again in a moment.") from error
        try:
            output = await self._run(wanted)
        finally:
            self._free.release()
        line, _, rest = output.partition(b"\n")
        try:
            head: dict[str, Any] = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise _too_hard() from error
        if "refused" in head:
            raise ContractRefused(head["refused"]["pointer"], head["refused"]["detail"])
        texts: list[str] = []
        for length in head["lengths"]:
            texts.append(rest[:length].decode())
            rest = rest[length:]
        return ReadContract(head["sha256"], head["version"], head["breaks"], *texts)

    async def _run(self, wanted: Reading) -> bytes:
        documents = [wanted.document, *([wanted.former] if wanted.former else [])]
        order = {
            "lengths": [len(document) for document in documents],
            "server": wanted.server,
            "compile": wanted.is_checked,
        }
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-m",
            MODULE,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={},
        )
        try:
            async with asyncio.timeout(self._wait_seconds):
                line = orjson.dumps(order) + b"\n"
                output, _ = await child.communicate(b"".join((line, *documents)))
        except TimeoutError as error:
            raise _too_hard() from error
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
        if child.returncode != 0 or len(output) > ANSWER_BYTES_MAX:
            raise _too_hard()
        return output


def _too_hard() -> ContractRefused:
    return ContractRefused("", "it takes more than 2 s or 256 MB to read; split it")
