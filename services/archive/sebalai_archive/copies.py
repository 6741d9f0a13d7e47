"""The second copy of every content and what happens to a damaged first one.

Owns `quarantine/` below the content folder and the replica folder (`ab/<sha256>`, on another disk
or machine). Copies are compared by their digest, never by time or size.
"""

import asyncio
import hashlib
import os
import shutil
import time
from pathlib import Path

from sebalai_shared.ids import uuid7

from sebalai_archive.content_store import WRITE_BYTES, ContentStore, sync_folder

QUARANTINE = "quarantine"


async def digest_of(path: Path, bytes_per_second: int | None = None) -> str | None:
    """Hex SHA-256, at most at that rate; None when there is no such file."""
    try:
        file = await asyncio.to_thread(path.open, "rb", buffering=0)
    except FileNotFoundError:
        return None
    digest, read, started = hashlib.sha256(), 0, time.monotonic()
    with file:
        while chunk := await asyncio.to_thread(file.read, WRITE_BYTES):
            await asyncio.to_thread(digest.update, chunk)
            read += len(chunk)
            if bytes_per_second is not None:
                ahead = read / bytes_per_second - (time.monotonic() - started)
                if ahead > 0:
                    await asyncio.sleep(ahead)
    return digest.hexdigest()


class Copies:
    """`replica` may be None: then nothing is copied and damage cannot be repaired."""

    def __init__(self, store: ContentStore, folder: Path, replica: Path | None) -> None:
        self._store, self._quarantine, self.replica = store, folder / QUARANTINE, replica

    def replica_path(self, sha256: str) -> Path | None:
        return self.replica / sha256[:2] / sha256 if self.replica is not None else None

    async def copy_out(self, sha256: str) -> bool:
        """Makes the replica of sound content; False when its bytes are not what they should be."""
        target = self.replica_path(sha256)
        if target is None:
            return False
        return await asyncio.to_thread(_copy, self._store.path(sha256), target, sha256)

    async def set_aside(self, sha256: str) -> Path | None:
        """Moves a damaged file out of the way, as evidence; None when there is none."""
        return await asyncio.to_thread(self._set_aside, self._store.path(sha256))

    def _set_aside(self, path: Path) -> Path | None:
        self._quarantine.mkdir(mode=0o750, parents=True, exist_ok=True)
        kept = self._quarantine / f"{path.name}.{uuid7().hex}"
        try:
            path.rename(kept)
        except FileNotFoundError:
            return None
        sync_folder(self._quarantine)
        sync_folder(path.parent)
        return kept

    async def repair(self, sha256: str) -> bool:
        """Brings the content back from a replica whose digest is right."""
        source = self.replica_path(sha256)
        if source is None:
            return False
        return await asyncio.to_thread(_copy, source, self._store.path(sha256), sha256)

    async def erase(self, sha256: str) -> None:
        """Takes the replica and what lies in quarantine away, after a destruction by decree."""
        await asyncio.to_thread(self._erase, sha256)

    def _erase(self, sha256: str) -> None:
        replica = self.replica_path(sha256)
        if replica is not None:
            replica.unlink(missing_ok=True)
        for path in self._set_aside_of(sha256):
            path.unlink(missing_ok=True)

    def _set_aside_of(self, sha256: str) -> list[Path]:
        return sorted(self._quarantine.glob(f"{sha256}.*"))

    async def absence(self, sha256: str) -> dict[str, str]:
        """Replica and quarantine, each `absent` or `present`; `none` where there is no replica."""
        return await asyncio.to_thread(self._absence, sha256)

    def _absence(self, sha256: str) -> dict[str, str]:
        replica = self.replica_path(sha256)
        places = {"quarantine": bool(self._set_aside_of(sha256))}
        if replica is not None:
            places["replica"] = replica.exists()
        return {name: "present" if is_there else "absent" for name, is_there in places.items()}


def _copy(source: Path, target: Path, sha256: str) -> bool:
    """Durable and under its digest, or not at all."""
    target.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    staged = target.parent / f".{uuid7().hex}"
    try:
        with source.open("rb") as read, staged.open("xb") as write:
            shutil.copyfileobj(read, write, WRITE_BYTES)
            write.flush()
            os.fsync(write.fileno())
        with staged.open("rb") as file:
            is_right = hashlib.file_digest(file, "sha256").hexdigest() == sha256
        if is_right:
            staged.chmod(0o440)
            staged.replace(target)
            sync_folder(target.parent)
    except FileNotFoundError:
        return False
    finally:
        staged.unlink(missing_ok=True)
    return is_right
