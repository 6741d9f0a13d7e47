"""A bag (RFC 8493) as a zip that is written while it is sent: memory holds one chunk of it."""

import hashlib
import io
import zipfile
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from typing_extensions import override

from sebalai_archive.content_store import Stored
from sebalai_archive.packages.composing import Entry

DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
FILE_MODE = 0o100644 << 16

Reading = Callable[[Stored], AsyncIterable[bytes]]
"""Gives the bytes of a content."""


class ContentDiffers(Exception):
    """Stored bytes are not what their record says: the bag is cut off before its manifest."""


class _Sink(io.RawIOBase):
    """Takes what the zip writes, until it is fetched."""

    def __init__(self) -> None:
        super().__init__()
        self._held = bytearray()

    @override
    def writable(self) -> bool:
        return True

    @override
    def write(self, data: Any, /) -> int:
        self._held += data
        return len(data)

    def take(self) -> bytes:
        taken = bytes(self._held)
        self._held.clear()
        return taken


class BagWriter:
    """`name` is the folder that everything stands in; contents are not compressed."""

    def __init__(self, name: str, at: datetime, reading: Reading) -> None:
        self._name, self._reading = name, reading
        self._date = (at.year, at.month, at.day, at.hour, at.minute, at.second)
        self._payload: dict[str, str] = {}
        self._octets = 0

    async def write(
        self, entries: Iterable[Entry], info: Mapping[str, str]
    ) -> AsyncGenerator[bytes]:
        """Raises: ContentDiffers, OSError."""
        sink = _Sink()
        archive = zipfile.ZipFile(sink, "w", allowZip64=True)
        try:
            for entry in entries:
                async for _ in self._write(archive, entry):
                    yield sink.take()
            self._tags(archive, info)
            archive.close()
            yield sink.take()
        finally:
            archive.fp = None  # broken off, it gets no end that would make it look whole

    async def _write(self, archive: zipfile.ZipFile, entry: Entry) -> AsyncGenerator[None]:
        digest = hashlib.sha256()
        with archive.open(self._info(entry.path), "w", force_zip64=True) as file:
            async for chunk in self._chunks(entry.content):
                digest.update(chunk)
                self._octets += len(chunk)
                file.write(chunk)
                yield
        self._payload[entry.path] = digest.hexdigest()
        if isinstance(entry.content, Stored) and entry.content.sha256 != digest.hexdigest():
            raise ContentDiffers(entry.path)

    async def _chunks(self, content: bytes | Stored) -> AsyncGenerator[bytes]:
        if isinstance(content, bytes):
            yield content
            return
        async for chunk in self._reading(content):
            yield chunk

    def _info(self, path: str) -> zipfile.ZipInfo:
        made = zipfile.ZipInfo(f"{self._name}/{path}", self._date)
        made.external_attr = FILE_MODE
        return made

    def _tags(self, archive: zipfile.ZipFile, info: Mapping[str, str]) -> None:
        oxum = {"Payload-Oxum": f"{self._octets}.{len(self._payload)}"}
        tags = {
            "bagit.txt": DECLARATION,
            "bag-info.txt": "".join(f"{k}: {v}\n" for k, v in {**info, **oxum}.items()).encode(),
            "manifest-sha256.txt": _manifest(self._payload),
        }
        digests = {name: hashlib.sha256(content).hexdigest() for name, content in tags.items()}
        for name, content in (tags | {"tagmanifest-sha256.txt": _manifest(digests)}).items():
            archive.writestr(self._info(name), content)


def _manifest(digests: Mapping[str, str]) -> bytes:
    return "".join(f"{digest}  {_escaped(path)}\n" for path, digest in digests.items()).encode()


def _escaped(path: str) -> str:
    """RFC 8493, 2.1.3: line ends and the sign that escapes them."""
    return path.replace("%", "%25").replace("\n", "%0A").replace("\r", "%0D")
