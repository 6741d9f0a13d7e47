"""Where a platform keeps everything, and which ports it takes. Two homes never share either."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from sebalai_local.failures import Failure

BASE_PORT = 8800
PORT_MAX = 65_535
OFFSETS = {
    "gateway": 0,
    "portal": 1,
    "identity": 2,
    "catalog": 3,
    "archive": 4,
    "exchange": 5,
    "gateway-metrics": 6,
    "govstack": 7,
    "postgres": 10,
    "nats": 11,
    "nats-monitor": 12,
    "nats-leaf": 13,
    "population-registry": 20,
}
INSTANCE = os.environ.get("SEBALAI_INSTANCE", "ID-BB")
MTLS_URL = os.environ.get("SEBALAI_MTLS_URL", "")
PARTS = ("heartbeats", "snapshots", "content")


def project_root() -> Path:
    """The checkout this package runs from, else the folder we stand in."""
    checkout = Path(__file__).resolve().parents[3]
    return checkout if (checkout / "deploy" / "local").is_dir() else Path.cwd()


@dataclass(frozen=True, slots=True)
class Home:
    """`has_govstack`: whether GovStack's programs are listened for too."""

    root: Path
    base_port: int = BASE_PORT
    has_govstack: bool = False

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def secrets(self) -> Path:
        return self.root / "secrets"

    @property
    def keys(self) -> Path:
        return self.root / "keys"

    @property
    def state_file(self) -> Path:
        return self.root / "state.json"

    @property
    def platform_file(self) -> Path:
        return self.root / "platform.json"

    @property
    def applications_file(self) -> Path:
        return self.root / "applications.json"

    @property
    def gateway_url(self) -> str:
        return self.url("gateway")

    @property
    def issuer(self) -> str:
        """The gateway as the world names it; other than `gateway_url` where containers run."""
        return self.gateway_url

    @property
    def hosts(self) -> tuple[str, ...]:
        """On which hosts the platform's own processes stand."""
        return ("127.0.0.1",)

    @property
    def environment(self) -> dict[str, str]:
        """What makes another process of ours find the same home."""
        told = {"SEBALAI_HOME": str(self.root), "SEBALAI_PORT": str(self.base_port)}
        told |= {"SEBALAI_INSTANCE": INSTANCE, "SEBALAI_MTLS_URL": MTLS_URL}
        return told | ({"SEBALAI_GOVSTACK": "on"} if self.has_govstack else {})

    def port(self, process: str) -> int:
        return self.base_port + OFFSETS[process]

    def url(self, process: str) -> str:
        return f"http://127.0.0.1:{self.port(process)}"

    def make(self) -> None:
        """Makes the folders; secrets and keys for our eyes only."""
        # 0711: as root, PostgreSQL's own user must be able to walk to its data folder.
        self.root.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            self.root.chmod(0o711)
        for folder in (self.logs, self.secrets, self.keys, *map(self.root.joinpath, PARTS)):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o700)

    def shown(self, path: Path) -> str:
        """`path` as a person in the project root would type it."""
        full = path.resolve()
        root = project_root()
        return str(full.relative_to(root)) if full.is_relative_to(root) else str(full)


def from_environment() -> Home:
    """`SEBALAI_HOME`, `SEBALAI_PORT` and `SEBALAI_GOVSTACK`. Raises: Failure."""
    root = Path(os.environ.get("SEBALAI_HOME") or project_root() / ".run").resolve()
    said = os.environ.get("SEBALAI_PORT") or str(BASE_PORT)
    highest = PORT_MAX - max(OFFSETS.values())
    if not said.isdigit() or not 1024 <= int(said) <= highest:
        raise Failure(
            f"SEBALAI_PORT is {said!r}.", f"Set a base port between 1024 and {highest}, like 8800."
        )
    return Home(root, int(said), has_govstack=os.environ.get("SEBALAI_GOVSTACK") == "on")
