"""The one door to content: by the SHA-256 of what was received, staged, made durable, then kept
under the digest of the bytes as they lie; never changed.

Content of a class that has a key is sealed on its way to the disk, under a data key of its own;
content that is public, or whose class has no key, lies as it came. Owns `stage/` and what the place
holds, and nothing in the database: what opens a sealed content is in `Stored.seal`, for a row.

Bytes are durable before any row names them; a crash leaves at worst some that no row names, which
`sweep` removes when they are old. Nothing else deletes.
"""

import asyncio
import hashlib
import logging
import os
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sebalai_shared.ids import uuid7

from sebalai_archive.content.files import FilePlace, old_files, remove_if_old, write_all
from sebalai_archive.content.frames import Opener, SealBroken, Sealer, new_key, sealed_size
from sebalai_archive.content.keys import ClassKeys, Wrapped
from sebalai_archive.content.places import WRITE_BYTES, Named, Place
from sebalai_archive.reader import SecurityClass

READ_BYTES = 256 * 1024
LENT_BYTES = 128 * 1024**2

log = logging.getLogger(__name__)


class OverLimit(Exception):
    """More bytes came than the store takes in one piece."""


class DigestDiffers(Exception):
    """What came is not what was announced."""


@dataclass(frozen=True, slots=True)
class Seal:
    """How a sealed content lies: the digest of its sealed bytes, its class, its wrapped key."""

    stored: str
    security_class: SecurityClass
    wrapped: Wrapped


@dataclass(frozen=True, slots=True)
class Stored:
    """A content: `sha256` and `size` as it came, and all it takes to open it where it is sealed."""

    sha256: str
    size: int
    seal: Seal | None = None

    @property
    def stored(self) -> str:
        """Digest of the bytes as they lie."""
        return self.seal.stored if self.seal else self.sha256

    @property
    def stored_size(self) -> int:
        return sealed_size(self.size) if self.seal else self.size


@dataclass(frozen=True, slots=True)
class Whole:
    """A small content that is here, as it was announced, for a class."""

    data: bytes
    sha256: bytes
    security_class: SecurityClass


class ContentStore:
    """`keys` without any: nothing is sealed."""

    def __init__(self, place: Place, bytes_limit: int, keys: ClassKeys | None = None) -> None:
        self.place, self.bytes_limit = place, bytes_limit
        self.keys, self._stage = keys or ClassKeys({}), place.stage

    async def check(self) -> None:
        """Raises OSError when the store cannot be written."""
        await asyncio.to_thread(_make_folder, self._stage)
        await self.place.check()

    async def put(
        self,
        chunks: AsyncIterable[bytes],
        expected_sha256: bytes | None,
        security_class: SecurityClass = "biasa",
    ) -> Stored:
        """Streams into the store; memory stays within WRITE_BYTES and one chunk.

        Raises:
            OverLimit: nothing is kept.
            DigestDiffers: nothing is kept.
            OSError: the store refuses; nothing is kept.

        """
        writing = _Writing(self._stage, self.keys, security_class)
        try:
            async for chunk in chunks:
                if writing.size + len(chunk) > self.bytes_limit:
                    raise OverLimit
                if writing.hold(chunk):
                    await asyncio.to_thread(writing.spill)
            return await self._keep(writing, expected_sha256)
        finally:
            writing.give_up()

    async def put_whole(self, data: bytes, security_class: SecurityClass) -> Stored:
        """The same for what was made here, in memory. Raises as `put`."""

        async def once() -> AsyncIterator[bytes]:
            yield data

        return await self.put(once(), hashlib.sha256(data).digest(), security_class)

    async def put_together(self, wanted: Sequence[Whole]) -> list[Stored | None]:
        """Several at once, in one thread and fewer turns to the disk; None for one that is not
        what was announced, of which nothing is kept.

        Raises: OSError: none may be named.
        """
        writings = [_Writing(self._stage, self.keys, one.security_class) for one in wanted]
        try:
            kept = await asyncio.to_thread(_write_each, writings, wanted)
            pairs = zip(writings, kept, strict=True)
            await self.place.keep_all({w.path: one.stored for w, one in pairs if one is not None})
            return kept
        finally:
            for writing in writings:
                writing.give_up()

    async def adopt(
        self, path: Path, expected_sha256: str | None, security_class: SecurityClass = "biasa"
    ) -> Stored:
        """Takes a whole file, sealed or by a second link; its first name stays.

        Raises:
            DigestDiffers: nothing is taken.
            OSError: the store refuses.

        """
        expected = bytes.fromhex(expected_sha256) if expected_sha256 is not None else None
        if self.keys.current(security_class) is not None:
            return await self._take_over(path, expected, security_class)
        stored = await asyncio.to_thread(_measure, path)
        if expected_sha256 not in {None, stored.sha256}:
            raise DigestDiffers
        await self.place.keep(path, stored.sha256, is_ours=False)
        return stored

    async def _take_over(
        self, path: Path, expected: bytes | None, security_class: SecurityClass
    ) -> Stored:
        writing = _Writing(self._stage, self.keys, security_class)
        try:
            await asyncio.to_thread(writing.copy, path)
            return await self._keep(writing, expected)
        finally:
            writing.give_up()

    async def reseal(self, content: Stored, security_class: SecurityClass) -> Stored:
        """A sealed copy of content of ours; the other stays. Raises: as `stream` and `put`."""
        pieces = self.stream(content, 0, content.size)
        return await self.put(pieces, bytes.fromhex(content.sha256), security_class)

    async def _keep(self, writing: "_Writing", expected: bytes | None) -> Stored:
        await asyncio.to_thread(writing.end)
        if expected is not None and writing.digest.digest() != expected:
            raise DigestDiffers
        kept = writing.kept()
        await self.place.keep(writing.path, kept.stored)
        return kept

    async def holds(self, content: Stored) -> bool:
        """Whether it is there with its size; its bytes are the scrubber's business."""
        return await self.place.size(content.stored) == content.stored_size

    async def stream(self, content: Stored, start: int, end: int) -> AsyncIterator[bytes]:
        """Plain `[start, end)` in pieces of READ_BYTES; every frame of a sealed one is checked.

        Raises: OSError, KeyUnknown, SealBroken; also between two pieces.
        """
        opener = self._opener(content)
        for at in range(start, end, READ_BYTES):
            upto = min(at + READ_BYTES, end)
            if opener is None:
                yield await self.place.read(content.stored, at, upto)
            else:
                sealed = await self.place.read(content.stored, *opener.span(at, upto))
                yield opener.open(sealed, at, upto)

    def _opener(self, content: Stored) -> Opener | None:
        if content.seal is None:
            return None
        seal = content.seal
        key = self.keys.unwrap(seal.security_class, content.sha256, seal.wrapped)
        return Opener(key, content.size)

    async def read(self, content: Stored) -> bytes:
        """The whole, in memory: for what is small by its nature. Raises as `stream`; what is not
        the content any more is `SealBroken`.
        """
        data = b"".join([piece async for piece in self.stream(content, 0, content.size)])
        if hashlib.sha256(data).hexdigest() != content.sha256:
            raise SealBroken("the bytes are not those of this digest")
        return data

    @asynccontextmanager
    async def lent(self, content: Stored) -> AsyncGenerator[Path]:
        """A path by which another process may read the plain bytes for a while. What is sealed or
        far away is laid in memory, never on a disk.

        Raises: as `stream`; OverLimit for more than LENT_BYTES of such.
        """
        if content.seal is None and isinstance(self.place, FilePlace):
            yield self.place.path(content.stored)
            return
        if content.size > LENT_BYTES:
            raise OverLimit
        descriptor = os.memfd_create("content")
        try:
            async for piece in self.stream(content, 0, content.size):
                await asyncio.to_thread(write_all, descriptor, piece)
            yield Path(f"/proc/{os.getpid()}/fd/{descriptor}")
        finally:
            os.close(descriptor)

    async def erase(self, stored: str, permit: UUID) -> bool:
        """Deletes stored bytes that no row names any more, by the permit of an executed disposal.
        False when they are young: an upload of the same bytes may be about to name them.
        """
        log.info("erasing content by the permit of disposal %s", permit)
        return await self.place.erase(stored)

    async def absence(self, stored: str) -> dict[str, str]:
        """The store's name with `absent` or `present`."""
        is_there = await self.place.size(stored) is not None
        return {self.place.name: "present" if is_there else "absent"}

    async def sweep(self, named: Named) -> int:
        """Removes old staged files and old content that no row names; answers how many."""
        await self.check()
        removed = 0
        for path in await asyncio.to_thread(old_files, self._stage):
            removed += await asyncio.to_thread(remove_if_old, path)
        return removed + await self.place.sweep(named)


class _Writing:
    """One content on its way into `stage`; its methods, but for `hold`, are for a thread."""

    def __init__(self, stage: Path, keys: ClassKeys, security_class: SecurityClass) -> None:
        self._stage, self._keys = stage, keys
        self._class: SecurityClass = security_class
        self.path, self.size, self._descriptor = stage / uuid7().hex, 0, -1
        self.digest, self._stored, self._held = hashlib.sha256(), hashlib.sha256(), bytearray()
        self._key = new_key() if keys.current(security_class) is not None else None
        self._sealer = Sealer(self._key) if self._key is not None else None

    def hold(self, chunk: bytes) -> bool:
        """Whether it is time to spill."""
        self.size += len(chunk)
        self._held += chunk
        return len(self._held) >= WRITE_BYTES

    def spill(self) -> None:
        self.digest.update(self._held)
        self._write(self._sealer.seal(self._held) if self._sealer else self._held)
        self._held.clear()

    def _write(self, data: bytes | bytearray) -> None:
        if self._descriptor < 0:
            self._stage.mkdir(mode=0o750, parents=True, exist_ok=True)
            self._descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        if self._sealer:
            self._stored.update(data)
        write_all(self._descriptor, data)

    def copy(self, source: Path) -> None:
        with source.open("rb", buffering=0) as file:
            while chunk := file.read(WRITE_BYTES):
                self.hold(chunk)
                self.spill()

    def end(self) -> None:
        self.spill()
        if self._sealer:
            self._write(self._sealer.finish())
        os.close(self._descriptor)
        self._descriptor = -1

    def kept(self) -> Stored:
        sha256 = self.digest.hexdigest()
        if self._key is None:
            return Stored(sha256, self.size)
        wrapped = self._keys.wrap(self._class, sha256, self._key)
        return Stored(sha256, self.size, Seal(self._stored.hexdigest(), self._class, wrapped))

    def give_up(self) -> None:
        """Leaves nothing of what was not kept."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self.path.unlink(missing_ok=True)


def _write_each(writings: Sequence[_Writing], wanted: Sequence[Whole]) -> list[Stored | None]:
    pairs = list(zip(writings, wanted, strict=True))
    for writing, one in pairs:
        writing.hold(one.data)
        writing.end()
    return [w.kept() if w.digest.digest() == one.sha256 else None for w, one in pairs]


def _make_folder(folder: Path) -> None:
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK):
        raise PermissionError(f"{folder} cannot be written")


def _measure(path: Path) -> Stored:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        return Stored(digest.hexdigest(), file.seek(0, os.SEEK_END))
