"""Files that arrive in pieces: `uploads/<id>` below the content folder, one writer at a time.

A piece counts once it is on disk for good; what stands behind the counted bytes (a kill in the
middle of a write) is cut off when the next piece comes. Owns no row: its user keeps the count, and
the key of a sealed one.
"""

import asyncio
import fcntl
import hashlib
import os
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

from sebalai_archive.content.files import sync_folder
from sebalai_archive.content.places import WRITE_BYTES
from sebalai_archive.content.units import UNIT_BYTES, Growing, PlainFile, UnitFile

DURABLE_EACH_BYTES = 8 * 1024 * 1024

Counted = Callable[[int], Awaitable[None]]
"""Told the count of durable bytes, each DURABLE_EACH_BYTES and at the end."""


class PartialBusy(Exception):
    """Another request writes this file at the moment."""


class PartialOver(Exception):
    """More bytes came than were announced."""


class PartialDiffers(Exception):
    """The piece is not what its checksum says; none of it counts."""


class Partials:
    def __init__(self, folder: Path) -> None:
        self._folder = folder / "uploads"

    def path(self, upload_id: UUID) -> Path:
        return self._folder / upload_id.hex

    async def create(self, upload_id: UUID) -> None:
        await asyncio.to_thread(self._create, upload_id)

    def _create(self, upload_id: UUID) -> None:
        self._folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        os.close(os.open(self.path(upload_id), os.O_WRONLY | os.O_CREAT, 0o600))
        sync_folder(self._folder)

    async def remove(self, upload_id: UUID) -> None:
        await asyncio.to_thread(self.path(upload_id).unlink, missing_ok=True)

    @asynccontextmanager
    async def writing(self, upload_id: UUID, key: bytes | None = None) -> AsyncGenerator[Growing]:
        """The file, held against every other writer. Raises `PartialBusy`, `OSError`."""
        descriptor = os.open(self.path(upload_id), os.O_RDWR)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield PlainFile(descriptor) if key is None else UnitFile(descriptor, key)
        except BlockingIOError as error:
            raise PartialBusy from error
        finally:
            os.close(descriptor)

    async def opened(self, upload_id: UUID, key: bytes, size: int) -> AsyncIterator[bytes]:
        """The plain bytes of a sealed one. Raises `OSError`."""
        descriptor = os.open(self.path(upload_id), os.O_RDONLY)
        try:
            file = UnitFile(descriptor, key)
            for start in range(0, size, UNIT_BYTES):
                yield await asyncio.to_thread(file.read, start, min(start + UNIT_BYTES, size))
        finally:
            os.close(descriptor)


class Piece:
    """One piece behind `start` counted bytes of a file that shall have `length` in all."""

    def __init__(self, file: Growing, start: int, length: int, counted: Counted) -> None:
        self._file, self._start, self._length = file, start, length
        self._counted, self._at, self._durable = counted, start, start
        self._held = bytearray()

    async def take(self, chunks: AsyncIterable[bytes]) -> None:
        """Writes what comes; a broken connection keeps what came before it.

        Raises: PartialOver, and whatever the connection raises, after the count was told.
        """
        await asyncio.to_thread(self._cut)
        try:
            async for chunk in chunks:
                await self._hold(chunk)
                if self._at - self._durable >= DURABLE_EACH_BYTES:
                    await self.settle()
        finally:
            await self.settle()

    async def take_checked(
        self, chunks: AsyncIterable[bytes], algorithm: str, expected: bytes
    ) -> None:
        """All or nothing: nothing counts before the whole piece has matched."""
        await asyncio.to_thread(self._cut)
        digest = hashlib.new(algorithm, usedforsecurity=False)
        async for chunk in chunks:
            digest.update(chunk)
            await self._hold(chunk)
        if digest.digest() != expected:
            await asyncio.to_thread(self._cut)
            raise PartialDiffers
        await self.settle()

    async def settle(self) -> None:
        await asyncio.to_thread(self._spill)
        await asyncio.to_thread(self._file.settle)
        if self._at != self._durable:
            self._durable = self._at
            await self._counted(self._at)

    def _cut(self) -> None:
        self._file.cut(self._start)

    async def _hold(self, chunk: bytes) -> None:
        if self._at + len(chunk) > self._length:
            raise PartialOver
        self._at += len(chunk)
        self._held += chunk
        if len(self._held) >= WRITE_BYTES:
            await asyncio.to_thread(self._spill)

    def _spill(self) -> None:
        self._file.write(self._held)
        self._held.clear()
