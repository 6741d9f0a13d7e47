"""What the engine really runs: every container of the project as hardened as the file says, no secret
in an environment, an image or a log, one published port, and no way out of the inner networks.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

PUBLISHED = {"gateway"}
NO_WAY_OUT = "import socket; socket.create_connection((%r, %d), 1)"


def docker(*arguments: str, check: bool = True) -> str:
    done = subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, check=check, timeout=60
    )
    return done.stdout + done.stderr


def containers(project: str) -> list[dict]:
    label = f"label=com.docker.compose.project={project}"
    ids = docker("ps", "--all", "--quiet", "--filter", label).split()
    return json.loads(docker("inspect", *ids))


def faults(container: dict) -> list[str]:
    host, config = container["HostConfig"], container["Config"]
    wanted = {
        "runs as an ordinary user": config["User"].split(":")[0] not in ("", "0", "root"),
        "root file system is read-only": host["ReadonlyRootfs"],
        "no capability": host["CapDrop"] == ["ALL"] and not host["CapAdd"],
        "no new privileges": "no-new-privileges:true" in host["SecurityOpt"],
        "not privileged": not host["Privileged"],
        "memory limit": host["Memory"] > 0,
        "cpu limit": host["NanoCpus"] > 0,
        "process limit": (host["PidsLimit"] or 0) > 0,
        "logs rotate": "max-size" in host["LogConfig"]["Config"],
        "no engine socket": "docker.sock" not in json.dumps(container["Mounts"]),
    }
    return [what for what, holds in wanted.items() if not holds]


def leaks(container: dict, secrets: dict[str, str]) -> list[str]:
    image = docker("history", "--no-trunc", container["Image"])
    log = docker("logs", container["Id"])
    seen = json.dumps(container["Config"]) + image + log
    return [name for name, value in secrets.items() if value in seen]


def secret_values(folder: Path) -> dict[str, str]:
    """Each secret's text, or for a JWK its private number; public files are none."""
    found: dict[str, str] = {}
    for path in [*(folder / "secrets").iterdir(), *(folder / "keys").iterdir()]:
        text = path.read_text(encoding="utf-8").strip()
        if path.name.endswith((".public.jwk", "-keys.json")):
            continue
        found[path.name] = json.loads(text)["d"] if path.suffix == ".jwk" else text
    return found


def service_of(container: dict) -> str:
    """By its label: after an upgrade the one container of a service has the number 2."""
    return container["Config"]["Labels"]["com.docker.compose.service"]


def reaches(container: str, host: str, port: int) -> bool:
    docker("exec", container, "python", "-I", "-c", "pass")  # or nothing is ever reached
    command = ["exec", container, "python", "-I", "-c", NO_WAY_OUT % (host, port)]
    return subprocess.run(["docker", *command], capture_output=True, check=False).returncode == 0


def main() -> None:
    project, folder = os.environ["PROJECT"], Path(sys.argv[1])
    found, wrong = containers(project), list[str]()
    secrets = secret_values(folder)
    assert len(secrets) > 10, "no secrets to look for"
    for container in found:
        name = service_of(container)
        wrong += [f"{name}: {fault}" for fault in faults(container)]
        wrong += [f"{name}: holds the secret {leak}" for leak in leaks(container, secrets)]
        ports = [port for port in (container["NetworkSettings"]["Ports"] or {}).values() if port]
        if ports and name not in PUBLISHED:
            wrong.append(f"{name}: publishes {ports}")
    ids = {service_of(container): container["Id"] for container in found}
    if reaches(ids["portal"], "postgres", 5432):
        wrong.append("portal: reaches postgres")
    if not reaches(ids["portal"], "gateway", 8080):
        wrong.append("portal: does not reach the gateway")
    if reaches(ids["exchange"], "192.0.2.1", 80):
        wrong.append("exchange: has a way out")
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"{len(found)} containers hardened, {len(secrets)} secrets in none of their images, "
          "environments and logs")  # fmt: skip


if __name__ == "__main__":
    main()
