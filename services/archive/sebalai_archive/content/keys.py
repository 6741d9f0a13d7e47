"""The keys of the security classes, which wrap the data key of each sealed content.

They come from a file: `{"rahasia": [{"id": "2026", "key": "<32 bytes in base64>"}, …], …}`. The
first of a class wraps what is new, the others still open; a class without keys stays plain. A new
key is put in front, the worker wraps every data key anew, and the old one may go. The bytes of
contents are never written again for that.
"""

import base64
import binascii
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sebalai_archive.content.files import sync_folder
from sebalai_archive.content.frames import KEY_BYTES, SealBroken
from sebalai_archive.reader import CLASSES, SecurityClass

SEALED_CLASSES = CLASSES[1:]
NONCE_BYTES = 12
ID_LENGTH_MAX = 40


class KeyUnknown(Exception):
    """The key that wrapped it is in no file of ours."""


class KeysMalformed(ValueError):
    """The file of keys is not as it should be; its message names no key."""


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A data key under the class's key of that id."""

    key_id: str
    box: bytes


class ClassKeys:
    """`keys` of each class by id, the current one first."""

    def __init__(self, keys: Mapping[SecurityClass, Mapping[str, bytes]]) -> None:
        self._keys = {name: dict(of_class) for name, of_class in keys.items() if of_class}

    @classmethod
    def from_file(cls, path: Path | None) -> Self:
        """No path, no keys. Raises: OSError, KeysMalformed."""
        if path is None:
            return cls({})
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            return cls({name: _of_class(told.get(name, [])) for name in SEALED_CLASSES})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise KeysMalformed(f"{path.name} is no file of class keys") from error

    def current(self, security_class: SecurityClass) -> str | None:
        """Id of the key that wraps what is new; None for a class that stays plain."""
        return next(iter(self._keys.get(security_class, {})), None)

    def wrap(self, security_class: SecurityClass, sha256: str, data_key: bytes) -> Wrapped:
        """Bound to class and plain digest: a wrapped key moved to another content opens nothing.

        Raises: KeyUnknown.
        """
        key_id = self.current(security_class)
        if key_id is None:
            raise KeyUnknown(f"there is no key for {security_class}")
        nonce = os.urandom(NONCE_BYTES)
        cipher = AESGCM(self._keys[security_class][key_id])
        return Wrapped(
            key_id, nonce + cipher.encrypt(nonce, data_key, _bound(security_class, sha256))
        )

    def unwrap(self, security_class: SecurityClass, sha256: str, wrapped: Wrapped) -> bytes:
        """Raises: KeyUnknown, SealBroken."""
        key = self._keys.get(security_class, {}).get(wrapped.key_id)
        if key is None:
            raise KeyUnknown(f"key {wrapped.key_id} of {security_class} is not in the file")
        nonce, box = wrapped.box[:NONCE_BYTES], wrapped.box[NONCE_BYTES:]
        try:
            return AESGCM(key).decrypt(nonce, box, _bound(security_class, sha256))
        except InvalidTag as error:
            raise SealBroken("the data key does not open") from error


def _bound(security_class: SecurityClass, sha256: str) -> bytes:
    return f"sebalai-seal/1 {security_class} {sha256}".encode()


def _of_class(told: Sequence[Mapping[str, str]]) -> dict[str, bytes]:
    found = {one["id"]: _key(one["key"]) for one in told}
    if len(found) != len(told) or not all(0 < len(one) <= ID_LENGTH_MAX for one in found):
        raise KeysMalformed("ids of keys are short, and each stands once")
    return found


def _key(text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise KeysMalformed("a key is not base64") from error
    if len(key) != KEY_BYTES:
        raise KeysMalformed(f"a key has {KEY_BYTES} bytes")
    return key


def add_keys(path: Path, key_id: str) -> None:
    """Puts a new key in front of each class; the file is made where there is none, and is replaced
    whole, on disk before it counts. Raises: OSError, KeysMalformed.
    """
    told: dict[str, list[dict[str, str]]] = {}
    if path.exists():
        ClassKeys.from_file(path)
        told = json.loads(path.read_text(encoding="utf-8"))
    for name in SEALED_CLASSES:
        made = {"id": key_id, "key": base64.b64encode(os.urandom(KEY_BYTES)).decode()}
        told[name] = [made, *told.get(name, [])]
        _of_class(told[name])
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    staged = path.with_name(f".{path.name}.new")
    with open(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:  # noqa: PTH123 - with its mode from the start
        json.dump(told, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    staged.replace(path)
    sync_folder(path.parent)
