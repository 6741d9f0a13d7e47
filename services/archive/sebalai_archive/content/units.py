"""Files that grow: what of an upload has come so far, plain or sealed.

A sealed one is AES-256-XTS in units of 64 KiB, the tweak is the unit's place: a piece may end at
any byte and the next go on behind it, and what is written twice is the same twice, so that a cut in
the middle of a write harms nothing that was counted. XTS (IEEE 1619, NIST SP 800-38E) is for bytes
at rest and proves nothing: the whole is hashed when it is taken over. One key seals one upload.
"""

import os
from typing import Protocol

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from sebalai_archive.content.files import write_all

KEY_BYTES = 64
UNIT_BYTES = 64 * 1024
BLOCK_BYTES = 16


class Growing(Protocol):
    """Methods are for a thread; `cut` comes first."""

    def cut(self, start: int) -> None:
        """Forgets what stands behind the first `start` bytes."""
        ...

    def write(self, data: bytes | bytearray) -> None: ...

    def settle(self) -> None:
        """Returns when all that was written is on disk."""
        ...


class PlainFile:
    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def cut(self, start: int) -> None:
        os.ftruncate(self._descriptor, start)
        os.lseek(self._descriptor, start, os.SEEK_SET)

    def write(self, data: bytes | bytearray) -> None:
        write_all(self._descriptor, data)

    def settle(self) -> None:
        os.fsync(self._descriptor)


class UnitFile:
    """Holds back what fills no unit; the end of the file is filled up to a block with zeros."""

    def __init__(self, descriptor: int, key: bytes) -> None:
        self._descriptor, self._cipher = descriptor, algorithms.AES(key)
        self._unit, self._tail = 0, bytearray()

    def cut(self, start: int) -> None:
        self._unit, length = divmod(start, UNIT_BYTES)
        self._tail = bytearray(self._open(self._unit, length))
        os.ftruncate(self._descriptor, self._unit * UNIT_BYTES + _in_blocks(length))

    def write(self, data: bytes | bytearray) -> None:
        self._tail += data
        while len(self._tail) >= UNIT_BYTES:
            self._put(bytes(self._tail[:UNIT_BYTES]))
            del self._tail[:UNIT_BYTES]
            self._unit += 1

    def settle(self) -> None:
        if self._tail:
            self._put(bytes(self._tail).ljust(_in_blocks(len(self._tail)), b"\0"))
        os.fsync(self._descriptor)

    def read(self, start: int, end: int) -> bytes:
        """Plain `[start, end)` of one unit. Raises OSError where the file is shorter."""
        unit, first = divmod(start, UNIT_BYTES)
        return self._open(unit, end - unit * UNIT_BYTES)[first:]

    def _open(self, unit: int, length: int) -> bytes:
        if length == 0:
            return b""
        sealed = os.pread(self._descriptor, _in_blocks(length), unit * UNIT_BYTES)
        if len(sealed) < length:
            raise FileNotFoundError("the file is shorter than what was counted")
        return self._of(unit).decryptor().update(sealed)[:length]

    def _put(self, plain: bytes) -> None:
        os.lseek(self._descriptor, self._unit * UNIT_BYTES, os.SEEK_SET)
        write_all(self._descriptor, self._of(self._unit).encryptor().update(plain))

    def _of(self, unit: int) -> Cipher[modes.XTS]:
        return Cipher(self._cipher, modes.XTS(unit.to_bytes(BLOCK_BYTES, "little")))


def _in_blocks(length: int) -> int:
    return -(-length // BLOCK_BYTES) * BLOCK_BYTES
