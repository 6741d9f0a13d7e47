"""Copies of the seals outside the database, one small file each: `<stored>.json`.

They lie beside the OCFL root, not in it: a version of OCFL is for ever, but a data key must be
wrapped anew when its class key changes, and must go when its record is destroyed.
"""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast, get_args

from sebalai_archive.content.files import sync_folder
from sebalai_archive.content.keys import Wrapped
from sebalai_archive.content.ocfl import durable
from sebalai_archive.content_store import Seal, Stored
from sebalai_archive.reader import SecurityClass

FORMAT = "sebalai-seal/1"


class SealFiles:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _path(self, stored: str) -> Path:
        return self._folder / stored[:2] / f"{stored}.json"

    def keep(self, content: Stored) -> None:
        """Writes it where it is missing or was wrapped anew. Raises OSError."""
        if content.seal is None:
            return
        told, path = _told(content, content.seal), self._path(content.seal.stored)
        raw = json.dumps(told, sort_keys=True).encode()
        if path.exists() and path.read_bytes() == raw:
            return
        path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        durable(path, raw)
        sync_folder(path.parent)

    def forget(self, stored: str) -> None:
        self._path(stored).unlink(missing_ok=True)

    def has(self, stored: str) -> bool:
        return self._path(stored).exists()

    def find(self, stored: str) -> Stored | None:
        """What opens these stored bytes; None when they are not sealed, or nothing opens them."""
        try:
            told = json.loads(self._path(stored).read_bytes())
        except FileNotFoundError:
            return None
        security_class = cast("SecurityClass", told["security_class"])
        if told["format"] != FORMAT or security_class not in get_args(SecurityClass):
            raise ValueError(f"{stored}.json is no seal")
        wrapped = Wrapped(told["key_id"], base64.b64decode(told["wrapped_key"]))
        return Stored(told["sha256"], told["size"], Seal(stored, security_class, wrapped))


def _told(content: Stored, seal: Seal) -> Mapping[str, Any]:
    return {
        "format": FORMAT,
        "stored": seal.stored,
        "sha256": content.sha256,
        "size": content.size,
        "security_class": seal.security_class,
        "key_id": seal.wrapped.key_id,
        "wrapped_key": base64.b64encode(seal.wrapped.box).decode(),
    }
