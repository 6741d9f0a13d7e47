"""The NATS server as a program: binary, configuration file, readiness."""

from __future__ import annotations

import http.client
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sebalai_local.failures import Failure
from sebalai_local.home import project_root
from sebalai_local.launching import Program

OLDEST = (2, 14)  # the first with consumer reset
PAYLOAD_LIMIT = "1MB"
MEMORY_LIMIT = "64MB"
# Streams reserve their own limits in it (events 2, journal 4 GiB); nothing is allocated.
STORE_LIMIT = "16GB"
CHECK_SECONDS = 1.0
ANY_PORT = -1
# `sync_interval` needs a line of its own: on one line with store_dir it is a parse error.
CONFIGURATION = """\
listen: "127.0.0.1:{port}"
http: "127.0.0.1:{monitor_port}"
server_name: "{name}"
max_payload: {payload}
max_connections: 1000
write_deadline: "10s"
ping_interval: "20s"
jetstream {{
  store_dir: "{store}"
  sync_interval: {sync}
  max_memory_store: {memory}
  max_file_store: {file}
}}
{authorization}
"""
USERS = Path("deploy") / "nats" / "users.conf"
DIRECT = Path("deploy") / "nats" / "direct.conf"
# Streams of a broker without accounts, and where the members' account looks for them.
NO_ACCOUNT, MEMBERS_ACCOUNT = "$G", "BUS"


def find_binary() -> Path:
    """`nats-server` beside this Python, else on PATH. Raises: Failure."""
    beside = Path(sys.executable).with_name("nats-server")
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if found is None:
        raise Failure("nats-server is not installed.", "Run `make install`.")
    said = subprocess.run([found, "--version"], capture_output=True, check=False, text=True).stdout
    version = re.search(r"v(\d+)\.(\d+)", said)
    if version is None or (int(version[1]), int(version[2])) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise Failure(
            f"{found} says {said.strip()!r}; {oldest} or newer is needed.", "`make install`"
        )
    return Path(found)


@dataclass(frozen=True, slots=True)
class Nats:
    home: Path
    port: int
    monitor_port: int
    access: str | Mapping[str, str]  # one token (tests), or the password of each member
    is_durable: bool = True
    issuer: str = ""  # public key of what admits direct subscribers; without one nobody does
    leaf_port: int = ANY_PORT  # where their own servers join

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def prepare(self) -> Program:
        """Writes the configuration; answers how to start the server."""
        folder = self.home.resolve() / "nats"
        folder.mkdir(parents=True, exist_ok=True)
        if not isinstance(self.access, str):
            _move_into_account(folder / "store" / "jetstream")
        configuration = folder / "nats.conf"
        configuration.touch(mode=0o600)
        configuration.write_text(
            CONFIGURATION.format(
                port=self.port,
                monitor_port=self.monitor_port,
                name=f"sebalai-{self.port}",
                payload=PAYLOAD_LIMIT,
                store=folder / "store",
                sync="always" if self.is_durable else '"2m"',
                memory=MEMORY_LIMIT,
                file=STORE_LIMIT,
                authorization=self._authorization(),
            ),
            encoding="utf-8",
        )
        arguments = [str(find_binary()), "-c", str(configuration)]
        return Program(arguments, folder=folder, death_signal=signal.SIGTERM)

    def _authorization(self) -> str:
        if isinstance(self.access, str):
            return f'authorization {{ token: "{self.access}" }}'
        users = (project_root() / USERS).read_text(encoding="utf-8")
        for name, password in self.access.items():
            users = users.replace(f"$NATS_{name.upper()}_PASSWORD", f'"{password}"')
        if not self.issuer:
            return users
        direct = (project_root() / DIRECT).read_text(encoding="utf-8")
        direct = direct.replace("$NATS_LEAF", f"127.0.0.1:{self.leaf_port}")
        return users + direct.replace("$NATS_ISSUER", self.issuer)

    def is_ready(self) -> bool:
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.monitor_port, timeout=CHECK_SECONDS
        )
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()


def _move_into_account(streams: Path) -> None:
    """What a broker stored before its members had an account of their own stays theirs."""
    before, now = streams / NO_ACCOUNT, streams / MEMBERS_ACCOUNT
    if before.exists() and not now.exists():
        before.rename(now)
