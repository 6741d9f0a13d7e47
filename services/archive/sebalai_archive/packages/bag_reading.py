"""Reads a bag of strangers (RFC 8493, zipped) with suspicion: nothing is unpacked, every file is
hashed against the manifests before anything of it is used.
"""

import hashlib
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

MEMBERS_MAX = 20_000
DIRECTORY_BYTES_MAX = 16 * 1024**2
PATH_BYTES_MAX = 1_000
NAME_BYTES_MAX = 255
TAG_BYTES_MAX = 8 * 1024**2
READ_BYTES = 256 * 1024
ALGORITHMS = ("sha512", "sha256")

_TAIL_BYTES = 66_000  # the end record and the longest comment
_LINE = re.compile(r"([0-9a-fA-F]{64,128})[ \t]+\*?(\S.*)")
_MANIFEST = re.compile(r"manifest-([a-z0-9]+)\.txt")
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_UNPACKING = (
    zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError,
    ValueError,
)  # fmt: skip
_OXUM = re.compile(r"^Payload-Oxum:[ \t]*(\d{1,18})\.(\d{1,18})[ \t]*$", re.MULTILINE)


class BagRefused(Exception):
    """What is wrong with it, in words for who sent it."""


@dataclass(frozen=True, slots=True)
class Bag:
    """A bag whose payload is what its manifests say; `payload` gives SHA-256 (hex) by path."""

    members: Mapping[str, zipfile.ZipInfo]
    payload: Mapping[str, str]
    archive: zipfile.ZipFile = field(repr=False)

    def read(self, path: str, limit: int = TAG_BYTES_MAX) -> bytes:
        """A small file whole. Raises BagRefused."""
        return _whole(self.archive, self._member(path), limit)

    def chunks(self, path: str) -> Generator[bytes]:
        """Raises BagRefused."""
        return _chunks(self.archive, self._member(path), self._member(path).file_size)

    def size(self, path: str) -> int:
        return self._member(path).file_size

    def _member(self, path: str) -> zipfile.ZipInfo:
        found = self.members.get(path)
        if found is None:
            raise BagRefused(f"{path[:200]} is missing.")
        return found


def read_bag(file: BinaryIO, bytes_limit: int) -> Bag:
    """`bytes_limit`: how much all files together may hold, unpacked. Raises BagRefused."""
    _check_directory(file)
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, struct.error) as error:
        raise BagRefused("It is not a zip file.") from error
    members = _members(archive)
    if sum(one.file_size for one in members.values()) > bytes_limit:
        raise BagRefused(f"Unpacked it holds more than {bytes_limit} bytes.")
    return _checked(archive, members)


def _check_directory(file: BinaryIO) -> None:
    """The list of members is read whole by the library: it must be small before that."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _TAIL_BYTES))
    tail = file.read(_TAIL_BYTES)
    place = tail.rfind(b"PK\x05\x06")
    if place < 0 or len(tail) - place < 22:
        raise BagRefused("It is not a zip file.")
    listed = int(struct.unpack("<L", tail[place + 12 : place + 16])[0])
    large = tail.rfind(b"PK\x06\x06")
    if large >= 0 and len(tail) - large >= 56:
        listed = max(
            listed % 0xFFFFFFFF, int(struct.unpack("<Q", tail[large + 40 : large + 48])[0])
        )
    if listed > DIRECTORY_BYTES_MAX:
        raise BagRefused(f"It lists more than {MEMBERS_MAX} files.")
    file.seek(0)


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Its files by their path below the bag's one folder."""
    listed = archive.infolist()
    if len(listed) > MEMBERS_MAX:
        raise BagRefused(f"It lists more than {MEMBERS_MAX} files.")
    found: dict[str, zipfile.ZipInfo] = {}
    seen: set[str] = set()
    tops: set[str] = set()
    for info in listed:
        _check_member(info)
        if info.is_dir():
            continue
        top, _, path = info.filename.partition("/")
        same = unicodedata.normalize("NFC", path).casefold()
        if not path or same in seen:
            raise BagRefused(f"{info.filename[:200]} stands twice, or in no folder.")
        seen.add(same)
        tops.add(top)
        found[path] = info
    if len(tops) != 1:
        raise BagRefused("A bag is one folder (RFC 8493, 4.2).")
    return found


def _check_member(info: zipfile.ZipInfo) -> None:
    name = info.filename
    parts = name.rstrip("/").split("/")
    is_odd = any(
        part in {"", ".", ".."} or len(part.encode("utf-8", "replace")) > NAME_BYTES_MAX
        for part in parts
    )
    if (
        is_odd
        or "\\" in name
        or ":" in parts[0]
        or len(name.encode("utf-8", "replace")) > PATH_BYTES_MAX
    ):
        raise BagRefused(f"{name[:100]!r} is no path inside a bag.")
    if any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in name):
        raise BagRefused("A name holds control characters.")
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind and not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
        raise BagRefused(f"{name[:200]} is a link or a device.")
    if info.flag_bits & 0x1 or info.compress_type not in _METHODS:
        raise BagRefused(f"{name[:200]} is encrypted, or packed in a way we do not read.")


def _checked(archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo]) -> Bag:
    bag = Bag(members, {}, archive)
    _check_declaration(bag.read("bagit.txt", 1_000))
    if "fetch.txt" in members:
        raise BagRefused("fetch.txt: what is not inside is not fetched.")
    manifests = _manifests(bag, "")
    if not manifests:
        raise BagRefused("It needs manifest-sha256.txt or manifest-sha512.txt.")
    payload = {path for path in members if path.startswith("data/")}
    _check_oxum(bag, payload)
    for algorithm, lines in manifests.items():
        if set(lines) != payload:
            raise BagRefused(f"manifest-{algorithm}.txt and data/ do not list the same files.")
    tags = _manifests(bag, "tag")
    digests = {path: _compare(bag, path, manifests) for path in sorted(payload)}
    for lines in tags.values():
        for path in lines:
            _compare(bag, path, tags)
    return Bag(members, digests, archive)


def _check_declaration(raw: bytes) -> None:
    text = raw.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    wanted = r"BagIt-Version: (0\.97|1\.0)\nTag-File-Character-Encoding: UTF-8\n?"
    if re.fullmatch(wanted, text) is None:
        raise BagRefused("bagit.txt must say BagIt-Version 1.0 (or 0.97) and UTF-8.")


def _check_oxum(bag: Bag, payload: Iterable[str]) -> None:
    if "bag-info.txt" not in bag.members:
        return
    found = _OXUM.search(bag.read("bag-info.txt").decode("utf-8", "replace"))
    sizes = [bag.size(path) for path in payload]
    if found and (int(found[1]), int(found[2])) != (sum(sizes), len(sizes)):
        raise BagRefused("Payload-Oxum in bag-info.txt tells of other files.")


def _manifests(bag: Bag, prefix: str) -> dict[str, dict[str, str]]:
    """By algorithm; those of weak digests (MD5, SHA-1) prove nothing and are not read."""
    found: dict[str, dict[str, str]] = {}
    for path in bag.members:
        named = _MANIFEST.fullmatch(path.removeprefix(prefix)) if path.startswith(prefix) else None
        if named and named[1] in ALGORITHMS:
            found[named[1]] = _lines(bag.read(path), named[1])
    return found


def _lines(raw: bytes, algorithm: str) -> dict[str, str]:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BagRefused(f"manifest-{algorithm}.txt is not UTF-8.") from error
    found: dict[str, str] = {}
    for line in re.split(r"\r\n|\r|\n", text):
        if not line:
            continue
        told = _LINE.fullmatch(line)
        if told is None or len(told[1]) != hashlib.new(algorithm).digest_size * 2:
            raise BagRefused(f"manifest-{algorithm}.txt has a line that is none.")
        path = told[2].replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%")
        if path in found:
            raise BagRefused(f"manifest-{algorithm}.txt names {path[:200]} twice.")
        found[path] = told[1].lower()
    return found


def _compare(bag: Bag, path: str, manifests: Mapping[str, Mapping[str, str]]) -> str:
    """SHA-256 of the file, once it is what each manifest says. Raises BagRefused."""
    digests = {name: hashlib.new(name) for name in {*manifests, "sha256"}}
    for chunk in bag.chunks(path):
        for digest in digests.values():
            digest.update(chunk)
    for name, lines in manifests.items():
        if path in lines and digests[name].hexdigest() != lines[path]:
            raise BagRefused(f"{path[:200]} is not what manifest-{name}.txt says.")
    return digests["sha256"].hexdigest()


def _whole(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int) -> bytes:
    if info.file_size > limit:
        raise BagRefused(f"{info.filename[:200]} is over {limit} bytes.")
    return b"".join(_chunks(archive, info, limit))


def _chunks(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int) -> Generator[bytes]:
    """What is really there, up to what the list said there is."""
    size = 0
    try:
        with archive.open(info) as file:
            while chunk := file.read(READ_BYTES):
                size += len(chunk)
                if size > limit:
                    raise BagRefused(f"{info.filename[:200]} holds more than it said.")
                yield chunk
    except _UNPACKING as error:
        raise BagRefused(f"{info.filename[:200]} cannot be unpacked.") from error
