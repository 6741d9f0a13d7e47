"""The second copy of every content and what happens to a damaged first one.

Owns the replica folder (`ab/<digest>`, on another disk or machine). Copies are of the bytes as they
lie, sealed or not, and compared by their digest, never by time or size: it takes no key.
"""

import asyncio
import hashlib
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

from sebalai_shared.ids import uuid7

from sebalai_archive.content.files import FilePlace, write_all
from sebalai_archive.content.places import WRITE_BYTES, Place


async def digest_of(place: Place, digest: str, bytes_per_second: int | None = None) -> str | None:
    """Hex SHA-256 of what lies under `digest`, at most at that rate; None when nothing does."""
    found, read, started = hashlib.sha256(), 0, time.monotonic()
    try:
        async for chunk in _pieces(place, digest):
            await asyncio.to_thread(found.update, chunk)
            read += len(chunk)
            if bytes_per_second is not None:
                ahead = read / bytes_per_second - (time.monotonic() - started)
                if ahead > 0:
                    await asyncio.sleep(ahead)
    except FileNotFoundError:
        return None
    return found.hexdigest()


async def _pieces(place: Place, digest: str) -> AsyncIterator[bytes]:
    """Raises: FileNotFoundError."""
    size = await place.size(digest)
    if size is None:
        raise FileNotFoundError(digest)
    for start in range(0, size, WRITE_BYTES):
        yield await place.read(digest, start, min(start + WRITE_BYTES, size))


class Copies:
    """`replica` may be None: then nothing is copied and damage cannot be repaired."""

    def __init__(self, place: Place, replica: Path | None) -> None:
        self._place = place
        self.replica = FilePlace(replica, "") if replica is not None else None

    async def copy_out(self, digest: str) -> bool:
        """Makes the replica of sound content; False when its bytes are not what they should be."""
        if self.replica is None:
            return False
        await asyncio.to_thread(self.replica.path(digest).unlink, missing_ok=True)
        return await _copy(self._place, self.replica, digest)

    async def set_aside(self, digest: str) -> bool:
        """Moves damaged content out of the way, as evidence; False when there is none."""
        return await self._place.set_aside(digest, f"{digest}.{uuid7().hex}")

    async def repair(self, digest: str) -> bool:
        """Brings the content back from a replica whose digest is right."""
        return self.replica is not None and await _copy(self.replica, self._place, digest)

    async def erase(self, digest: str) -> None:
        """Takes the replica and what lies in quarantine away, after a destruction by decree."""
        if self.replica is not None:
            await asyncio.to_thread(self.replica.path(digest).unlink, missing_ok=True)
        await self._place.forget_aside(digest)

    async def absence(self, digest: str) -> dict[str, str]:
        """Quarantine and, where there is one, replica: each `absent` or `present`."""
        places = {"quarantine": await self._place.has_aside(digest)}
        if self.replica is not None:
            places["replica"] = await self.replica.size(digest) is not None
        return {name: "present" if is_there else "absent" for name, is_there in places.items()}


async def _copy(source: Place, target: Place, digest: str) -> bool:
    """Durable and under its digest, or not at all."""
    staged, found = target.stage / uuid7().hex, hashlib.sha256()
    await asyncio.to_thread(staged.parent.mkdir, mode=0o750, parents=True, exist_ok=True)
    descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        async for chunk in _pieces(source, digest):
            found.update(chunk)
            await asyncio.to_thread(write_all, descriptor, chunk)
        if found.hexdigest() == digest:
            await target.keep(staged, digest, is_ours=False)
    except FileNotFoundError:
        return False
    finally:
        os.close(descriptor)
        staged.unlink(missing_ok=True)
    return found.hexdigest() == digest
