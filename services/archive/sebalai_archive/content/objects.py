"""Where objects and copies of seals lie, by the archive's settings."""

import asyncio
import errno
import os
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sebalai_archive.content.files import FilePlace, write_all
from sebalai_archive.content.ocfl import Bring, StorageRoot
from sebalai_archive.content.places import WRITE_BYTES, Place
from sebalai_archive.content.seal_files import SealFiles


def object_id_of(record_id: UUID) -> str:
    """`urn:uuid:…` (RFC 9562)."""
    return record_id.urn


@dataclass(frozen=True, slots=True)
class Preservation:
    root: StorageRoot
    seals: SealFiles

    @classmethod
    def at(cls, folder: Path) -> "Preservation":
        """The seals lie beside the root: whoever copies one copies the other elsewhere."""
        return cls(StorageRoot(folder), SealFiles(folder.with_name(f"{folder.name}-seals")))

    async def erase(self, record_id: UUID, stored: str) -> None:
        await asyncio.to_thread(self.root.purge, object_id_of(record_id))
        await asyncio.to_thread(self.seals.forget, stored)

    async def absence(self, record_id: UUID) -> dict[str, str]:
        is_there = await asyncio.to_thread(self.root.path(object_id_of(record_id)).exists)
        return {"ocfl": "present" if is_there else "absent"}


def bring_from(place: Place) -> Bring:
    """By a second link where content lies on the same disk, else as a copy. For a thread."""
    loop = asyncio.get_running_loop()

    def bring(digest: str, target: Path) -> None:
        if isinstance(place, FilePlace):
            try:
                os.link(place.path(digest), target)
            except OSError as error:
                if error.errno not in {errno.EXDEV, errno.EMLINK}:
                    raise
            else:
                return
        asyncio.run_coroutine_threadsafe(_copy(place, digest, target), loop).result()

    return bring


async def _copy(place: Place, digest: str, target: Path) -> None:
    size = await place.size(digest)
    if size is None:
        raise FileNotFoundError(digest)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o440)
    try:
        for start in range(0, size, WRITE_BYTES):
            piece = await place.read(digest, start, min(start + WRITE_BYTES, size))
            await asyncio.to_thread(write_all, descriptor, piece)
        await asyncio.to_thread(os.fsync, descriptor)
    finally:
        os.close(descriptor)
