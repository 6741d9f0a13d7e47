"""Runs the examination of a file in a child that can be killed, and the virus scan by clamd.

Owns the limits of both and turns whatever happens into an answer; nothing here raises for what a
file holds.
"""

import asyncio
import json
import logging
import signal
import struct
import sys
from collections.abc import AsyncIterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

log = logging.getLogger(__name__)

WALL_SECONDS = 30.0
OUTPUT_BYTES = 4 * 1024 * 1024
SCAN_SECONDS = 120.0
ANSWER_BYTES = 4_096

# How the system ends a reader at its limits; PDFium aborts when it gets no more memory.
_ENDED_AT = {
    -signal.SIGABRT: "memory",
    -signal.SIGKILL: "memory",
    -signal.SIGXCPU: "processor time",
}

State = Literal["text", "no_text", "broken", "over_limit", "infected"]
Scan = Literal["clean", "infected", "not_scanned"]


@dataclass(frozen=True, slots=True)
class Found:
    state: State
    puid: str | None = None
    pages: int | None = None
    note: str | None = None
    body: str = ""
    is_scan: bool = False


class ScanUnavailable(Exception):
    """clamd did not answer; try again later."""


async def examine(path: Path) -> Found:
    """Format (PRONOM PUID) and text. A child that dies or takes too long is an answer too."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "sebalai_archive.examine_child",
        str(path),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(WALL_SECONDS):
            output = await _read(child)
            code = await child.wait()
    except TimeoutError:
        return Found("over_limit", note=f"it took more than {WALL_SECONDS:.0f} s")
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if output is None:
        return Found("over_limit", note="what the reader had to say was too long")
    if code in _ENDED_AT:
        return Found("over_limit", note=f"it took more {_ENDED_AT[code]} than a reader may")
    return _found(output) if code == 0 else Found("broken", note=f"the reader ended with {code}")


async def _read(child: asyncio.subprocess.Process) -> bytes | None:
    """None when there is more than OUTPUT_BYTES; the child is then killed."""
    output = bytearray()
    if child.stdout is None:
        return None
    while chunk := await child.stdout.read(65_536):
        output += chunk
        if len(output) > OUTPUT_BYTES:
            child.kill()
            return None
    return bytes(output)


def _found(output: bytes) -> Found:
    try:
        told = json.loads(output)
    except ValueError:
        return Found("broken", note="the reader's answer is not JSON")
    return Found(
        told.get("state", "broken"),
        told.get("puid"),
        told.get("pages"),
        told.get("note"),
        told.get("body") or "",
        told.get("is_scan") is True,
    )


async def scan(content: AsyncIterable[bytes], socket: Path | None) -> tuple[Scan, str | None]:
    """Clamd's word by its INSTREAM command (clamd(8)); `not_scanned` without a socket.

    Raises: ScanUnavailable.
    """
    if socket is None:
        return "not_scanned", None
    try:
        async with asyncio.timeout(SCAN_SECONDS):
            answer = await _instream(content, socket)
    except (OSError, TimeoutError) as error:
        raise ScanUnavailable(str(error)) from error
    if answer.endswith("FOUND"):
        return "infected", answer.removeprefix("stream: ").removesuffix(" FOUND")[:200]
    if answer.endswith("OK"):
        return "clean", None
    raise ScanUnavailable(answer[:200])


async def _instream(content: AsyncIterable[bytes], socket: Path) -> str:
    reader, writer = await asyncio.open_unix_connection(socket)
    try:
        writer.write(b"zINSTREAM\0")
        async for chunk in content:
            writer.write(struct.pack(">I", len(chunk)) + chunk)
            await writer.drain()
        writer.write(struct.pack(">I", 0))
        await writer.drain()
        answer = await reader.read(ANSWER_BYTES)
    finally:
        writer.close()
    return answer.rstrip(b"\0\n").decode("utf-8", "replace")
