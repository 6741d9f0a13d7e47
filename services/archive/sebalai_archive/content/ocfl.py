"""A storage root of OCFL 1.1: objects with versions, inventories by SHA-256, layout 0003.

Knows nothing of records: an object is an id and files by their digest. A file that an earlier
version holds is not written again. Every file and folder is on disk before the inventory that names
it; a version whose writing was cut is written anew.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from sebalai_shared.ids import uuid7

from sebalai_archive.content.files import sync_folder

TYPE = "https://ocfl.io/1.1/spec/#inventory"
LAYOUT = "0003-hash-and-id-n-tuple-storage-layout"
LAYOUT_CONFIG = {
    "extensionName": LAYOUT,
    "digestAlgorithm": "sha256",
    "tupleSize": 3,
    "numberOfTuples": 3,
}
USER = {"name": "Sebalai archive", "address": "urn:sebalai:archive"}
LAYOUT_WORDS = "folders by SHA-256 of the object's id, then the id itself, percent-encoded"

Bring = Callable[[str, Path], None]
"""Puts the bytes of a stored digest at a path, durable; raises OSError."""


@dataclass(frozen=True, slots=True)
class Version:
    """`files`: digest of the bytes as they lie, by logical path. `created` in RFC 3339."""

    files: Mapping[str, str]
    created: str
    message: str


class StorageRoot:
    """`folder` is the root; what is not yet an object lies beside it, on the same disk."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._stage = folder, folder.with_name(f"{folder.name}-stage")

    def prepare(self) -> None:
        """Makes the root where there is none. Raises OSError."""
        if (self.folder / "0=ocfl_1.1").exists():
            return
        config = self.folder / "extensions" / LAYOUT
        config.mkdir(mode=0o750, parents=True, exist_ok=True)
        durable(config / "config.json", _json(LAYOUT_CONFIG))
        layout = {"extension": LAYOUT, "description": LAYOUT_WORDS}
        durable(self.folder / "ocfl_layout.json", _json(layout))
        durable(self.folder / "0=ocfl_1.1", b"ocfl_1.1\n")

    def path(self, object_id: str) -> Path:
        digest = hashlib.sha256(object_id.encode()).hexdigest()
        encoded = quote(object_id, safe="-_").replace("%3A", "%3a").replace(".", "%2e")
        return self.folder / digest[:3] / digest[3:6] / digest[6:9] / encoded

    def inventory(self, object_id: str) -> dict[str, Any] | None:
        """None when there is no such object, or it was cut while it was written."""
        path = self.path(object_id)
        try:
            raw = (path / "inventory.json").read_bytes()
            told = (path / "inventory.json.sha256").read_text(encoding="ascii").split()[0]
        except FileNotFoundError:
            return None
        return json.loads(raw) if hashlib.sha256(raw).hexdigest() == told else None

    def current(self, object_id: str) -> Mapping[str, str] | None:
        """Digests by logical path of the newest version."""
        inventory = self.inventory(object_id)
        return files_of(inventory) if inventory is not None else None

    def add(self, object_id: str, version: Version, bring: Bring) -> int:
        """Writes the next version; answers its number. Raises OSError."""
        self.prepare()
        before = self.inventory(object_id)
        if before is None:
            self.purge(object_id)
        inventory = _next(object_id, before, version)
        staged = self._stage / uuid7().hex
        staged.mkdir(mode=0o750, parents=True)
        try:
            self._write_version(staged, inventory, bring)
            if before is None:
                self._put_whole(staged, object_id, inventory)
            else:
                self._put_on(staged, object_id, inventory)
        finally:
            shutil.rmtree(staged, ignore_errors=True)
        return len(inventory["versions"])

    def _write_version(self, staged: Path, inventory: dict[str, Any], bring: Bring) -> None:
        head = str(inventory["head"])
        (staged / head).mkdir(mode=0o750)
        manifest = cast("dict[str, list[str]]", inventory["manifest"])
        for digest, paths in manifest.items():
            for path in paths:
                if path.startswith(f"{head}/"):
                    target = staged / path
                    target.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
                    bring(digest, target)
        _write_inventory(staged / head, inventory)
        for folder in sorted(path for path in staged.rglob("*") if path.is_dir()):
            sync_folder(folder)

    def _put_whole(self, staged: Path, object_id: str, inventory: dict[str, Any]) -> None:
        durable(staged / "0=ocfl_object_1.1", b"ocfl_object_1.1\n")
        _write_inventory(staged, inventory)
        sync_folder(staged)
        path = self.path(object_id)
        path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        staged.rename(path)
        for folder in (path.parent, *list(path.parents)[1:4]):
            sync_folder(folder)

    def _put_on(self, staged: Path, object_id: str, inventory: dict[str, Any]) -> None:
        """First the version, then the inventory that names it: who reads between the two sees the
        version before, and a folder that is not named yet.
        """
        path, head = self.path(object_id), str(inventory["head"])
        if (path / head).exists():  # cut after this step the last time
            shutil.rmtree(path / head)
        (staged / head).rename(path / head)
        sync_folder(path)
        _write_inventory(path, inventory)

    def purge(self, object_id: str) -> None:
        """Takes an object away whole: after a destruction by decree, or a cut first version."""
        path = self.path(object_id)
        if path.exists():
            gone = self._stage / uuid7().hex
            gone.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
            path.rename(gone)
            sync_folder(path.parent)
            shutil.rmtree(gone)

    def objects(self) -> list[Path]:
        """The folder of every object, in order."""
        return sorted(mark.parent for mark in self.folder.glob("???/???/???/*/0=ocfl_object_1.1"))


def files_of(inventory: Mapping[str, Any]) -> dict[str, str]:
    """Digest by logical path of the inventory's head."""
    state = inventory["versions"][inventory["head"]]["state"]
    return {path: digest for digest, paths in state.items() for path in paths}


def _next(object_id: str, before: Mapping[str, Any] | None, version: Version) -> dict[str, Any]:
    number = len(before["versions"]) + 1 if before else 1
    head = f"v{number}"
    manifest: dict[str, list[str]] = dict(before["manifest"]) if before else {}
    state: dict[str, list[str]] = {}
    for path, digest in sorted(version.files.items()):
        manifest.setdefault(digest, [f"{head}/content/{path}"])
        state.setdefault(digest, []).append(path)
    made = {
        "created": version.created,
        "message": version.message,
        "user": USER,
        "state": state,
    }
    versions = {**(before["versions"] if before else {}), head: made}
    return {
        "id": object_id,
        "type": TYPE,
        "digestAlgorithm": "sha256",
        "head": head,
        "manifest": manifest,
        "versions": versions,
    }


def _write_inventory(folder: Path, inventory: dict[str, Any]) -> None:
    raw = _json(inventory)
    durable(folder / "inventory.json", raw)
    digest = hashlib.sha256(raw).hexdigest()
    durable(folder / "inventory.json.sha256", f"{digest} inventory.json\n".encode())
    sync_folder(folder)


def _json(value: object) -> bytes:
    return json.dumps(value, indent=1, sort_keys=True).encode()


def durable(path: Path, data: bytes) -> None:
    """On disk before it stands under its name."""
    staged = path.with_name(f".{path.name}")
    with staged.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    staged.replace(path)
