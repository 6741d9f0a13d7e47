"""A whole platform for the flows: `sebalai up` in a home and on ports of its own, then `down`."""

import atexit
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import asyncpg
import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from sebalai_shared.ids import uuid7

from tests.browser.conftest import axe, chromium, examine, tab  # noqa: F401 - fixtures

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
CALLER, REFUSED = "dinsos-pmd/bansos", "dinkes/puskesmas"
RECEIPT_SECONDS = 15
RECOVERY_SECONDS = 60
FLOW_SECONDS = 120
MTLS_OFFSET = 30
TOKEN_KEPT_SECONDS = 200  # a token lives 300 s, and the drills of one platform last longer
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def pytest_collection_modifyitems(items):
    """Whichever flow is first starts the platform; that has a limit of its own, not the flow's."""
    for item in items:
        if Path(__file__).parent in item.path.parents and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(FLOW_SECONDS, func_only=True))


def free_base():
    """A base port whose whole range of fifty is free now, and kept from other test runs: its last
    port is listened to until this process ends.
    """
    for base in range(18_800, 30_000, 100):
        try:
            kept = socket.create_server(("127.0.0.1", base + 49))
            atexit.register(kept.close)
            for offset in (*range(14), 20, 21, MTLS_OFFSET):
                socket.create_server(("127.0.0.1", base + offset)).close()
        except OSError:
            continue
        return base
    raise RuntimeError("no free range of ports")


class Platform:
    """A running platform, seen as a user sees it: platform.json, HTTP and the command line."""

    granted, refused, archivist = CALLER, REFUSED, "dkpus/arsip"

    def __init__(self, home, base):
        self.home, self.base = Path(home), base
        # Nobody listens there until a flow puts a proxy before the platform.
        self.mtls = f"https://localhost:{base + MTLS_OFFSET}"
        self.env = os.environ | {
            "SEBALAI_HOME": str(home), "SEBALAI_PORT": str(base), "SEBALAI_MTLS_URL": self.mtls,
        }  # fmt: skip
        self._tokens = {}

    def run(self, *arguments, check=True, timeout=180):
        return subprocess.run(
            [BIN / "sebalai", *arguments], cwd=ROOT, env=self.env, check=check,
            capture_output=True, text=True, timeout=timeout,
        )  # fmt: skip

    @property
    def facts(self):
        return json.loads((self.home / "platform.json").read_text())

    @property
    def gateway(self):
        return self.facts["gateway"]

    @property
    def population(self):
        return next(i for i in self.facts["interfaces"] if i["name"].endswith("/penduduk"))

    def application(self, name):
        return next(a for a in self.facts["applications"] if f"{a['agency']}/{a['name']}" == name)

    def key(self, name):
        path = Path(self.application(name)["key_file"])
        path = path if path.is_absolute() else ROOT / path
        return ECKey.import_key(json.loads(path.read_text()))

    def assertion(self, name, **changed):
        client, now = self.application(name)["client_id"], int(time.time())
        claims = {
            "iss": client, "sub": client, "aud": self.facts["issuer"], "jti": str(uuid7()),
            "iat": now, "exp": now + 60,
        } | changed  # fmt: skip
        return jwt.encode({"alg": "ES256"}, claims, self.key(name))

    def token(self, name=CALLER, *, is_new=False):
        """One that was got before, unless it must last: what gives tokens is about to be gone."""
        if is_new:
            self._tokens.pop(name, None)
        got_at, _ = self._tokens.get(name, (-TOKEN_KEPT_SECONDS, None))
        if time.monotonic() - got_at >= TOKEN_KEPT_SECONDS:
            answer = httpx.post(
                f"{self.gateway}/oauth/token",
                data={
                    "grant_type": "client_credentials",
                    "client_assertion_type": ASSERTION,
                    "client_assertion": self.assertion(name),
                },
            )
            answer.raise_for_status()
            self._tokens[name] = time.monotonic(), answer.json()["access_token"]
        return self._tokens[name][1]

    def headers(self, name=CALLER, purpose=None, **more):
        purpose = self.population["purpose"] if purpose is None else purpose
        return {"authorization": f"Bearer {self.token(name)}", "sebalai-purpose": purpose} | more

    def call(self, path="/residents?limit=1", name=CALLER, method="GET", **options):
        options.setdefault("headers", self.headers(name))
        url = f"{self.gateway}/r1/{self.population['name']}{path}"
        return httpx.request(method, url, timeout=30, **options)

    def receipt(self, message_id, name=CALLER, seconds=RECEIPT_SECONDS):
        """The call receipt as text, waiting while it is not yet in the ledger."""
        until = time.monotonic() + seconds
        headers = {"authorization": f"Bearer {self.token(name)}"}
        while True:
            answer = httpx.get(f"{self.gateway}/receipts/{message_id}", headers=headers, timeout=10)
            if answer.status_code == 200:
                return answer.text
            assert time.monotonic() < until, f"{answer.status_code} {answer.text}"
            time.sleep(0.1)

    def verify(self, receipt, key=None):
        """Runs sebalai-verify on the receipt; answers the finished process."""
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write(receipt)
            file.flush()
            key = key or self.home / "ledger.vkey"
            return subprocess.run(
                [BIN / "sebalai-verify", file.name, "--key", key],
                capture_output=True, text=True, check=False, timeout=60,
            )  # fmt: skip

    @property
    def processes(self):
        """Each process of the platform by name, as `sebalai status` tells it."""
        listed = json.loads(self.run("status", "--json").stdout)["processes"]
        return {process["name"]: process for process in listed}

    def wait_until_running(self, *names):
        """These processes run, or all that nobody holds, within RECOVERY_SECONDS."""
        until = time.monotonic() + RECOVERY_SECONDS
        while not self._runs(*names):
            assert time.monotonic() < until, self.run("status", check=False).stdout
            time.sleep(0.3)

    def wait_until_well(self):
        """And a call is answered."""
        until = time.monotonic() + RECOVERY_SECONDS
        while not self._runs() or not self._answers():
            assert time.monotonic() < until, self.run("status", check=False).stdout
            time.sleep(0.3)

    def _runs(self, *names):
        processes = self.processes
        states = {processes[name]["state"] for name in names or processes}
        return states <= {"running"} if names else states <= {"running", "held"}

    def _answers(self):
        try:
            return self.call().status_code == 200
        except httpx.HTTPError:
            return False

    def kill(self, name):
        """Kills the process if it runs just now; answers whether it did."""
        process = self.processes[name]
        if process["state"] != "running" or not process.get("pid"):
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(process["pid"], signal.SIGKILL)
        return True

    async def rows(self, member, query, *arguments, **told):
        """What a member's own database answers to a connection that told it these settings."""
        password = (self.home / "secrets" / f"database-{member}").read_text().strip()
        connection = await asyncpg.connect(
            host="127.0.0.1", port=self.base + 10, user=member, database=member,
            password=password, server_settings=told,
        )  # fmt: skip
        try:
            return await connection.fetch(query, *arguments)
        finally:
            await connection.close()

    def provider_count(self):
        """How many requests the provider itself says it has served."""
        return httpx.get(f"http://127.0.0.1:{self.base + 20}/counter").json()["requests"]


@pytest.fixture(scope="session")
def platform():
    home = tempfile.mkdtemp(prefix="sebalai-flow-")
    running = Platform(home, free_base())
    started = running.run("up", check=False, timeout=300)
    try:
        assert started.returncode == 0, started.stdout + started.stderr
        yield running
        # A member whose subject has no line in deploy/nats/users.conf is refused in silence.
        said = (Path(home) / "logs" / "nats.log").read_text()
        refused = [line for line in said.splitlines() if "Violation" in line]
        assert [line for line in refused if '"BUS/' in line] == []
    finally:
        stopped = running.run("down", check=False)
        assert stopped.returncode == 0, stopped.stdout + stopped.stderr
        shutil.rmtree(home, ignore_errors=True)
