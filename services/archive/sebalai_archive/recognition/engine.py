"""What reads a scan: an interface, and Tesseract behind it in a child that is killed when late.

Owns the limits of wall time and output; nothing here raises for what a file holds.
"""

import asyncio
import json
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from typing_extensions import override

WALL_SECONDS = 1_800.0
NICENESS = 10  # other work of the machine goes first
OUTPUT_BYTES = 4 * 1024 * 1024

Outcome = Literal["done", "empty", "failed", "over_limit"]


@dataclass(frozen=True, slots=True)
class Read:
    """`pages`: how many were read; a long scan has more."""

    outcome: Outcome
    pages: int = 0
    body: str = ""


class Engine(Protocol):
    async def read(self, path: Path) -> Read:
        """The text of a scan: a PDF, or a picture."""
        ...


class Tesseract(Engine):
    """`languages` as Tesseract names them, joined by `+`."""

    def __init__(self, program: Path, languages: str, niceness: int = NICENESS) -> None:
        """Raises `FileNotFoundError`."""
        if not program.is_file():
            raise FileNotFoundError(f"{program} is no program")
        self._program, self._languages, self._niceness = program, languages, niceness

    @override
    async def read(self, path: Path) -> Read:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "sebalai_archive.recognise_child",
            str(self._program), self._languages, str(self._niceness), str(path),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            async with asyncio.timeout(WALL_SECONDS):
                output = await _output(child)
                code = await child.wait()
        except TimeoutError:
            return Read("over_limit")
        finally:
            await _end(child)
        return _told(output) if code == 0 and output is not None else Read("failed")


async def _output(child: asyncio.subprocess.Process) -> bytes | None:
    """None when there is more than OUTPUT_BYTES."""
    output = bytearray()
    if child.stdout is None:
        return None
    while chunk := await child.stdout.read(65_536):
        output += chunk
        if len(output) > OUTPUT_BYTES:
            return None
    return bytes(output)


async def _end(child: asyncio.subprocess.Process) -> None:
    """The child and the program it started, which are one group of processes."""
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    await child.wait()


def _told(output: bytes) -> Read:
    try:
        told = json.loads(output)
        return Read(told["state"], told["pages"], told["body"])
    except (ValueError, KeyError, TypeError):
        return Read("failed")
