"""A gateway alone, for measuring: its own PostgreSQL (fsync on), routes and keys from its last good
copies on disk, nothing behind it but a provider. Several gateways may stand on the one database.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import sebalai_gateway
import workload
from joserfc import jws, jwt
from joserfc.jwk import ECKey, KeySet
from sebalai_local.engines import Engines
from sebalai_shared.ids import uuid7
from sebalai_shared.testing.database import fresh_database
from workload import CONSUMER, INTERFACE, PURPOSE, SINK, Agreed, Call

ISSUER, AUDIENCE = "http://issuer.example", "urn:sebalai:gateway:ID-BB"
MANY = 100_000_000
READY_SECONDS = 30


class Alone:
    """`gateway` starts one on a port; `stop` ends them all and the database. `sink_url` is where
    bodies go.
    """

    def __init__(self, folder: Path, provider_url: str, sink_url: str) -> None:
        self.folder = folder
        self._urls = dict.fromkeys(workload.interfaces(), provider_url) | {SINK: sink_url}
        self.sink = sink_url.removeprefix("http://")
        folder.chmod(0o711)
        self.engines = Engines.start(folder, durable=True)
        admin = self.engines.addresses.postgres_admin_url
        package = Path(sebalai_gateway.__file__).parent
        self.database_url = asyncio.run(fresh_database(admin, "bench", package))
        self.key, self._routes = (ECKey.generate_key("P-256", auto_kid=True) for _ in range(2))
        (folder / "caller.jwk").write_text(json.dumps(self.key.as_dict(private=True)))
        trusted = KeySet([self._routes]).as_dict(private=False)
        (folder / "routes.jwks").write_text(json.dumps(trusted))
        self._write_snapshots()
        self.calls = [self.call(number) for number in range(workload.CONSUMERS)]
        self._running: list[subprocess.Popen[bytes]] = []

    def _write_snapshots(self) -> None:
        snapshots = self.folder / "snapshots"
        snapshots.mkdir()
        header = {"alg": "ES256", "typ": "routes+jws", "kid": self._routes.kid}
        signed = jws.serialize_compact(header, json.dumps(_table(self._urls)), self._routes)
        (snapshots / "routes.snapshot").write_text(signed)
        keys = KeySet([self.key]).as_dict(private=False)["keys"]
        (snapshots / "jwks.snapshot").write_text(json.dumps({"version": 1, "keys": keys}))

    def gateway(self, port: int, cores: list[int], **more: str) -> subprocess.Popen[bytes]:
        """Serves on `port`, pinned; `more` are settings by their name in the environment."""
        addresses, nowhere = self.engines.addresses, "http://127.0.0.1:9"
        told = {
            "database_url": self.database_url, "nats_url": addresses.nats_url,
            "nats_token": addresses.nats_token, "public_url": ISSUER, "port": str(port),
            "caller_key_file": str(self.folder / "caller.jwk"), "log_level": "ERROR",
            "routes_keys_file": str(self.folder / "routes.jwks"),
            "snapshot_dir": str(self.folder / "snapshots"), "private_providers": "127.0.0.0/8",
            "identity_url": nowhere, "catalog_url": nowhere, "archive_url": nowhere,
            "exchange_url": nowhere, "portal_url": nowhere,
        }  # fmt: skip
        env = os.environ | {f"SEBALAI_{n.upper()}": value for n, value in (told | more).items()}
        command = [sys.executable, "-m", "sebalai_gateway", "api"]
        with (self.folder / f"gateway-{port}.log").open("wb") as log:
            process = subprocess.Popen(command, env=env, stderr=log)
        psutil.Process(process.pid).cpu_affinity(cores)
        self._running.append(process)
        self._wait_until_ready(port)
        return process

    def _wait_until_ready(self, port: int) -> None:
        url = f"http://127.0.0.1:{port}/r1/{INTERFACE}/x"
        for _ in range(READY_SECONDS * 20):
            try:
                urllib.request.urlopen(urllib.request.Request(url, headers=self.headers())).read()
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
            else:
                return
        raise SystemExit((self.folder / f"gateway-{port}.log").read_text()[-2000:])

    def token(self, application: str = CONSUMER, **other: object) -> str:
        """`other` claims than a good token's; of those in its header, `typ` and `kid`."""
        now, client = int(time.time()), application.rpartition("/")[2]
        claims = {
            "iss": ISSUER, "aud": AUDIENCE, "sub": client, "client_id": client,
            "jti": str(uuid7()), "iat": now, "nbf": now, "exp": now + 3_600, "scope": "bus.call",
            "kind": "system", "agency": application.split("/")[2], "application": application,
        }  # fmt: skip
        header = {"alg": "ES256", "typ": "at+jwt", "kid": self.key.kid}
        told = {name: other.pop(name) for name in ("typ", "kid") if name in other}
        return jwt.encode(header | told, claims | other, self.key)

    def call(self, number: int) -> Call:
        """By the consumer of this number, with a token that was never shown before."""
        agreed = workload.called(number % workload.CONSUMERS)
        return Call(f"/r1/{agreed.interface}/x", agreed.purpose, self.token(agreed.consumer))

    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token()}", "sebalai-purpose": PURPOSE}

    def stop(self) -> None:
        for process in self._running:
            process.send_signal(signal.SIGTERM)
        for process in self._running:
            process.wait(20)
        self.engines.stop()


def _table(urls: dict[str, str]) -> dict[str, object]:
    interfaces = [
        {
            "id": name, "name": name, "provider": name.rpartition("/")[0],
            "agency": name.split("/")[2], "addresses": [url], "contract_sha256": "ab" * 32,
            "max_concurrency": 2_048, "max_request_bytes": 2 * 1024**3,
            "total_timeout_ms": 600_000, "read_timeout_ms": 60_000,
        }
        for name, url in urls.items()
    ]  # fmt: skip
    agreements = [_agreement(one) for one in workload.agreed()]
    return {"version": 1, "instance": "ID-BB", "interfaces": interfaces, "agreements": agreements}


def _agreement(agreed: Agreed) -> dict[str, object]:
    return {
        "id": str(uuid7()), "consumer": agreed.consumer, "interface": agreed.interface,
        "rules": [{"id": "r1", "method": "*", "path": "/**"}],
        "purposes": [{"code": agreed.purpose, "legal_basis": "uji beban"}],
        "valid_from": "2020-01-01T00:00:00Z", "valid_until": "2100-01-01T00:00:00Z",
        "quota_per_day": MANY, "rate_per_second": MANY, "burst": MANY,
    }  # fmt: skip


def seconds_of(pid: int) -> float:
    """Processor seconds of a process and its children so far."""
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    return sum(times.user + times.system for times in (one.cpu_times() for one in family))
