"""As whom PostgreSQL runs and where it may lie. Owns the user and the folders, not the server.

PostgreSQL refuses root, so root starts it as another user, and that user must be able to walk to
the binaries and the data. A clone under a 0700 home directory cannot be walked through, and we
never open a folder that is not ours: then both go to FALLBACK, named after the home they serve.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from sebalai_local.failures import Failure

FALLBACK = Path("/var/lib/sebalai")
USERS = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Place:
    """`folder` holds the data; `uid`, `gid` own it (-1: the user we are)."""

    folder: Path
    uid: int = -1
    gid: int = -1

    def make(self, folder: Path) -> None:
        """Makes a folder only the server's user may read."""
        folder.mkdir(parents=True, exist_ok=True)
        if self.uid >= 0:
            os.chown(folder, self.uid, self.gid)
        folder.chmod(0o700)


def _can_walk(folder: Path, uid: int, gid: int) -> bool:
    existing = folder
    while not existing.exists():
        existing = existing.parent
    for step in (existing, *existing.parents):
        seen = step.stat()
        bit = stat.S_IXUSR if seen.st_uid == uid else stat.S_IXOTH
        bit = stat.S_IXGRP if seen.st_uid != uid and seen.st_gid == gid else bit
        if not seen.st_mode & bit:
            return False
    return True


def _server_user() -> pwd.struct_passwd:
    for name in USERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise Failure(
        "PostgreSQL refuses to run as root, and there is no user postgres or nobody to run it as.",
        "Run as an ordinary user, or create the user postgres.",
    )


def fallback_of(home: Path) -> Path:
    """Where root keeps what its server user cannot reach inside `home`."""
    return FALLBACK / hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:16]


def choose(home: Path) -> Place:
    """The data's place for the platform in `home`. Raises: Failure."""
    inside = home.resolve() / "postgres"
    if os.geteuid() != 0:
        _require_a_name()
        return Place(inside)
    user = _server_user()
    outside = fallback_of(home) / "postgres"
    # Data that was once put outside stays there, whatever the folder's mode is today.
    is_inside = _can_walk(inside.parent, user.pw_uid, user.pw_gid) and not outside.exists()
    return Place(inside if is_inside else outside, user.pw_uid, user.pw_gid)


def _require_a_name() -> None:
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError as error:
        raise Failure(
            f"The user id {os.geteuid()} has no entry in /etc/passwd; PostgreSQL needs one.",
            "Run as a named user, or set SEBALAI_PG_BIN to a wrapper that provides one.",
        ) from error


def reachable_binaries(bin_folder: Path, place: Place, home: Path) -> Path:
    """`bin_folder`, or a copy of its installation where the server's user can execute it."""
    if place.uid < 0 or _can_walk(bin_folder, place.uid, place.gid):
        return bin_folder
    installation = bin_folder.parent  # <site-packages>/<package>/pginstall
    package = installation.parent
    target = fallback_of(home) / "engine"
    copied = target / package.name / installation.name / "bin"
    seen = (bin_folder / "postgres").stat()
    stamp = f"{bin_folder} {seen.st_size} {seen.st_mtime_ns}"  # another wheel is copied anew
    complete = target / "complete"
    if not complete.exists() or complete.read_text(encoding="utf-8") != stamp:
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(installation, target / package.name / installation.name, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")  # found beside it by run path
        if libraries.is_dir():
            shutil.copytree(libraries, target / libraries.name, symlinks=True)
        complete.write_text(stamp, encoding="utf-8")
    for folder in (FALLBACK, target.parent):
        folder.chmod(0o711)
    return copied


def forget(home: Path) -> None:
    """Removes what lies outside of `home`."""
    if os.geteuid() == 0:
        shutil.rmtree(fallback_of(home), ignore_errors=True)
