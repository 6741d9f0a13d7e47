# ruff: noqa: INP001 - copied into the operator's image as one file
"""The one-shot steps of the compose platform, by the code that fills the embedded one.

`register`: applications at identity, whose client ids the portal needs before it starts.
`seed`: interfaces and agreements through the gateway. `demo`: both. SEBALAI_SEED=platform leaves
out the demonstration. Private keys come as secrets, and are copied to memory under the names
that code expects.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from pathlib import Path

from sebalai_local import applications, seeding
from sebalai_local.home import Home
from sebalai_local.province import seed

REGISTRATIONS = Path("/registrations")
MEMORY = Path("/tmp/keys")  # noqa: S108 - the container's own tmpfs
ADDRESSES = {
    "gateway": "http://gateway:8080",
    "identity": "http://identity:8080",
    "catalog": "http://services-catalog:8080",
    "archive": "http://archive:8080",
    "exchange": "http://exchange:8080",
    "population-registry": "http://population-registry:8080",
}


class ContainerHome(Home):
    """Services by their compose names; what is remembered stands in a volume, without keys."""

    @property
    def keys(self) -> Path:
        return MEMORY

    @property
    def issuer(self) -> str:
        return os.environ["SEBALAI_PUBLIC_URL"]

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(address.split("/")[2].split(":")[0] for address in ADDRESSES.values())

    def url(self, process: str) -> str:
        return ADDRESSES[process]


def take_keys(home: Home) -> None:
    home.keys.mkdir(mode=0o700, exist_ok=True)
    for one in seed().applications:
        secret = Path("/run/secrets") / f"{one.name}_key"
        shutil.copyfile(secret, home.keys / f"{one.agency}.{one.name}.jwk")


def register(home: Home) -> None:
    ours = {name: value for name, value in os.environ.items() if name.startswith("SEBALAI_")}
    applications.register_all(home, ours)
    for path in home.keys.glob("*.client_id"):
        shutil.copyfile(path, home.root / path.name)


def main(command: str) -> None:
    home = ContainerHome(REGISTRATIONS)
    os.umask(0o077)
    take_keys(home)
    if command in ("register", "demo"):
        register(home)
    if command in ("seed", "demo"):
        asyncio.run(seeding.run(home))


if __name__ == "__main__":
    main(sys.argv[1])
