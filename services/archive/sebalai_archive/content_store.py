"""Content by its own SHA-256: staged, made durable, then linked under its digest; never changed.

Owns the files below the content folder (`stage/`, `cas/ab/<sha256>`) and nothing in the database.
A file is durable before any row names it; a crash leaves at worst a file that no row names, which
`sweep` removes when it is old. Nothing else deletes.
"""

import asyncio
import fcntl
import hashlib
import logging
import os
import time
from collections.abc import AsyncIterable, Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sebalai_shared.ids import uuid7

WRITE_BYTES = 1024 * 1024
SWEEP_AFTER_SECONDS = 24 * 3600
SWEEP_FILES = 1_000
ERASE_AFTER_SECONDS = 900

log = logging.getLogger(__name__)

Named = Callable[[Sequence[str]], Awaitable[set[str]]]
"""Answers which of these digests some row names."""


class OverLimit(Exception):
    """More bytes came than the store takes in one piece."""


class DigestDiffers(Exception):
    """What came is not what was announced."""


@dataclass(frozen=True, slots=True)
class Stored:
    sha256: str
    size: int


class ContentStore:
    def __init__(self, folder: Path, bytes_limit: int) -> None:
        self._stage, self._cas, self.bytes_limit = folder / "stage", folder / "cas", bytes_limit

    async def check(self) -> None:
        """Raises OSError when the folder cannot be written."""
        await asyncio.to_thread(self._make_folders)

    def _make_folders(self) -> None:
        for folder in (self._stage, self._cas):
            folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        if not os.access(self._stage, os.W_OK):
            raise PermissionError(f"{self._stage} cannot be written")

    def path(self, sha256: str) -> Path:
        return self._cas / sha256[:2] / sha256

    async def put(self, chunks: AsyncIterable[bytes], expected_sha256: bytes) -> Stored:
        """Streams into the store; memory stays within WRITE_BYTES and one chunk.

        Raises:
            OverLimit: nothing is kept.
            DigestDiffers: nothing is kept.
            OSError: the disk refuses; nothing is kept.

        """
        await asyncio.to_thread(self._make_folders)
        staged = self._stage / uuid7().hex
        descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            stored = await self._write(descriptor, chunks, expected_sha256)
            await asyncio.to_thread(self._link, staged, stored)
        finally:
            os.close(descriptor)
            staged.unlink()
        return stored

    async def adopt(self, path: Path, expected_sha256: str | None) -> Stored:
        """Takes a whole, already durable file by a second link; its first name stays.

        Raises:
            DigestDiffers: nothing is taken.
            OSError: the disk refuses.

        """
        await asyncio.to_thread(self._make_folders)
        stored = await asyncio.to_thread(_measure, path)
        if expected_sha256 is not None and stored.sha256 != expected_sha256:
            raise DigestDiffers
        await asyncio.to_thread(self._link, path, stored)
        return stored

    async def _write(
        self, descriptor: int, chunks: AsyncIterable[bytes], expected_sha256: bytes
    ) -> Stored:
        digest, size, held = hashlib.sha256(), 0, bytearray()

        def spill() -> None:
            digest.update(held)
            write_all(descriptor, held)
            held.clear()

        async for chunk in chunks:
            size += len(chunk)
            if size > self.bytes_limit:
                raise OverLimit
            held += chunk
            if len(held) >= WRITE_BYTES:
                await asyncio.to_thread(spill)
        await asyncio.to_thread(spill)
        if digest.digest() != expected_sha256:
            raise DigestDiffers
        await asyncio.to_thread(_seal, descriptor)
        return Stored(digest.hexdigest(), size)

    def _link(self, staged: Path, stored: Stored) -> None:
        target = self.path(stored.sha256)
        if not target.parent.exists():
            target.parent.mkdir(mode=0o750, exist_ok=True)
            sync_folder(self._cas)
        with _locked(target.parent, fcntl.LOCK_SH) as folder:
            try:
                os.link(staged, target)
            except FileExistsError:
                os.utime(target)  # young again: the sweeper leaves it to the row to come
            os.fsync(folder)

    async def holds(self, stored: Stored) -> bool:
        """Whether the file is there with that size; its bytes are the scrubber's business."""
        return await asyncio.to_thread(_size, self.path(stored.sha256)) == stored.size

    async def erase(self, sha256: str, permit: UUID) -> bool:
        """Deletes content that no row names any more, by the permit of an executed disposal. False
        when the file is young: an upload of the same bytes may be about to name it.
        """
        log.info("erasing content by the permit of disposal %s", permit)
        return await asyncio.to_thread(self._erase, self.path(sha256))

    def _erase(self, path: Path) -> bool:
        if not path.parent.exists():
            return True
        with _locked(path.parent, fcntl.LOCK_EX) as folder:
            if _is_old(path, ERASE_AFTER_SECONDS):
                path.unlink()
                os.fsync(folder)
            return not path.exists()

    async def absence(self, sha256: str) -> dict[str, str]:
        """Each store that could hold these bytes, with `absent` or `present`."""
        places = {"content": self.path(sha256)}
        return {
            name: "present" if await asyncio.to_thread(path.exists) else "absent"
            for name, path in places.items()
        }

    async def sweep(self, named: Named) -> int:
        """Removes old staged files and old files that no row names; answers how many."""
        await asyncio.to_thread(self._make_folders)
        removed = 0
        for path in await asyncio.to_thread(_old_files, self._stage):
            removed += await asyncio.to_thread(_remove_if_old, path)
        for shard in await asyncio.to_thread(_shards, self._cas):
            old = await asyncio.to_thread(_old_files, shard)
            for start in range(0, len(old), SWEEP_FILES):
                batch = old[start : start + SWEEP_FILES]
                kept = await named([path.name for path in batch])
                for path in batch:
                    if path.name not in kept:
                        removed += await asyncio.to_thread(_remove_if_old, path)
        return removed


@contextmanager
def _locked(folder: Path, kind: int) -> Generator[int]:
    """The folder, open and locked: an upload and the sweeper never meet inside one."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, kind)
        yield descriptor
    finally:
        os.close(descriptor)


def _remove_if_old(path: Path) -> bool:
    """Looks again under the lock: an upload of the same bytes may have touched the file."""
    with _locked(path.parent, fcntl.LOCK_EX):
        if not _is_old(path):
            return False
        path.unlink()
        return True


def _shards(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir())


def _old_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if _is_old(path))


def _is_old(path: Path, after_seconds: int = SWEEP_AFTER_SECONDS) -> bool:
    try:
        return path.stat().st_mtime < time.time() - after_seconds
    except FileNotFoundError:
        return False


def write_all(descriptor: int, data: bytearray) -> None:
    with memoryview(data) as view:
        written = 0
        while written < len(view):
            written += os.write(descriptor, view[written:])


def _measure(path: Path) -> Stored:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        size = file.seek(0, os.SEEK_END)
        _seal(file.fileno())
    return Stored(digest.hexdigest(), size)


def _seal(descriptor: int) -> None:
    os.fchmod(descriptor, 0o440)
    os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None
