"""Content in a folder: `cas/ab/<digest>`, linked whole after an fsync, followed by an fsync of the
folder; never changed. Damaged files go to `quarantine`.
"""

import asyncio
import fcntl
import os
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from sebalai_archive.content.places import (
    ERASE_AFTER_SECONDS,
    SWEEP_AFTER_SECONDS,
    SWEEP_BATCH,
    Named,
)


class FilePlace:
    name = "content"

    def __init__(self, folder: Path, below: str = "cas") -> None:
        self._cas, self._aside = folder / below, folder / "quarantine"
        self.stage = folder / "stage"

    async def check(self) -> None:
        await asyncio.to_thread(self._cas.mkdir, mode=0o750, parents=True, exist_ok=True)

    def path(self, digest: str) -> Path:
        return self._cas / digest[:2] / digest

    async def keep(self, staged: Path, digest: str, *, is_ours: bool = True) -> None:
        await asyncio.to_thread(self._keep, {staged: digest}, is_ours=is_ours)

    async def keep_all(self, staged: Mapping[Path, str]) -> None:
        await asyncio.to_thread(self._keep, staged, is_ours=True)

    def _keep(self, staged: Mapping[Path, str], *, is_ours: bool) -> None:
        """All are linked before the first folder is synced: the journal of the file system then
        writes most of the links at once.
        """
        for path in staged:
            with path.open("rb") as file:
                seal(file.fileno())
        for folder in {self._link(path, digest) for path, digest in staged.items()}:
            sync_folder(folder)
        for path in staged if is_ours else ():
            path.unlink()

    def _link(self, staged: Path, digest: str) -> Path:
        """Answers the folder, which is not yet synced."""
        target = self.path(digest)
        if not target.parent.exists():
            target.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
            sync_folder(self._cas)
        with _locked(target.parent, fcntl.LOCK_SH):
            with suppress(FileExistsError):
                os.link(staged, target)
            os.utime(target)  # young: the sweeper leaves it to the row to come
        return target.parent

    async def size(self, digest: str) -> int | None:
        return await asyncio.to_thread(_size, self.path(digest))

    async def read(self, digest: str, start: int, end: int) -> bytes:
        return await asyncio.to_thread(_read, self.path(digest), start, end)

    async def erase(self, digest: str) -> bool:
        return await asyncio.to_thread(self._erase, self.path(digest))

    def _erase(self, path: Path) -> bool:
        if not path.parent.exists():
            return True
        with _locked(path.parent, fcntl.LOCK_EX) as folder:
            if is_old(path, ERASE_AFTER_SECONDS):
                path.unlink()
                os.fsync(folder)
            return not path.exists()

    async def set_aside(self, digest: str, name: str) -> bool:
        return await asyncio.to_thread(self._set_aside, self.path(digest), name)

    def _set_aside(self, path: Path, name: str) -> bool:
        self._aside.mkdir(mode=0o750, parents=True, exist_ok=True)
        try:
            path.rename(self._aside / name)
        except FileNotFoundError:
            return False
        sync_folder(self._aside)
        sync_folder(path.parent)
        return True

    async def forget_aside(self, digest: str) -> None:
        for path in await asyncio.to_thread(self._those_aside, digest):
            await asyncio.to_thread(path.unlink, missing_ok=True)

    async def has_aside(self, digest: str) -> bool:
        return bool(await asyncio.to_thread(self._those_aside, digest))

    def _those_aside(self, digest: str) -> list[Path]:
        return sorted(self._aside.glob(f"{digest}.*"))

    async def sweep(self, named: Named) -> int:
        await self.check()
        removed = 0
        for shard in await asyncio.to_thread(_shards, self._cas):
            old = await asyncio.to_thread(old_files, shard)
            for start in range(0, len(old), SWEEP_BATCH):
                batch = old[start : start + SWEEP_BATCH]
                kept = await named([path.name for path in batch])
                for path in batch:
                    if path.name not in kept:
                        removed += await asyncio.to_thread(remove_if_old, path)
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


def remove_if_old(path: Path) -> bool:
    """Looks again under the lock: an upload of the same bytes may have touched the file."""
    with _locked(path.parent, fcntl.LOCK_EX):
        if not is_old(path):
            return False
        path.unlink()
        return True


def _shards(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir())


def old_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if is_old(path))


def is_old(path: Path, after_seconds: int = SWEEP_AFTER_SECONDS) -> bool:
    try:
        return path.stat().st_mtime < time.time() - after_seconds
    except FileNotFoundError:
        return False


def _read(path: Path, start: int, end: int) -> bytes:
    with path.open("rb", buffering=0) as file:
        return os.pread(file.fileno(), end - start, start)


def write_all(descriptor: int, data: bytes | bytearray) -> None:
    with memoryview(data) as view:
        written = 0
        while written < len(view):
            written += os.write(descriptor, view[written:])


def seal(descriptor: int) -> None:
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
