"""The call path, with everything on (token, agreement, purpose, journal, ledger), beside nginx.

The provider is nginx serving 1 KiB, so that neither side waits for it; the peer is nginx as a
plain reverse proxy that checks nothing and records nothing. wrk drives both over loopback.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
import psutil
from figures import figure, middle
from joserfc import jwt
from joserfc.jwk import ECKey
from sebalai_shared.ids import uuid7
from wrk import wrk

ROOT = Path(__file__).parents[2]
CALLERS = (1, 32, 128)
ROUNDS = int(os.environ.get("SEBALAI_BENCH_ROUNDS", "5"))
SECONDS = int(os.environ.get("SEBALAI_BENCH_SECONDS", "3"))
BASE = int(os.environ.get("SEBALAI_PORT", "8900"))
PROVIDER, PEER = BASE + 40, BASE + 41
OWNER, USER = "dp3acskb/kependudukan", "dinsos-pmd/bansos"
NAME = f"ID-BB/GOV/{OWNER}/bench"
PURPOSE = "uji-beban"
PATHS = {"/": {"get": {"responses": {"200": {"description": "1 KiB"}}}}}
RATE_MAX = 10_000  # the largest rate an agreement may hold
LEDGER_WAIT_SECONDS = 120
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

NGINX = """
worker_processes 1; daemon off; pid {home}/nginx.pid; error_log {home}/error.log warn;
events {{ worker_connections 2048; }}
http {{
  access_log off; client_body_temp_path {home}/body; proxy_temp_path {home}/proxy;
  fastcgi_temp_path {home}/f; uwsgi_temp_path {home}/u; scgi_temp_path {home}/s;
  keepalive_requests 1000000; tcp_nodelay on;
  upstream provider {{ server 127.0.0.1:{provider}; keepalive 256; keepalive_requests 1000000; }}
  server {{ listen 127.0.0.1:{provider} backlog=4096; default_type application/json;
    location / {{ return 200 '{body}'; }} }}
  server {{ listen 127.0.0.1:{peer} backlog=4096;
    location / {{ proxy_pass http://provider; proxy_http_version 1.1; proxy_set_header Connection ""; }} }}
}}
"""


class Bench:
    """A platform of its own beside nginx, and the bench interface published on it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.env = os.environ | {"SEBALAI_HOME": str(home / "run"), "SEBALAI_PORT": str(BASE)}
        self.sebalai = Path(sys.executable).parent / "sebalai"

    def up(self) -> None:
        subprocess.run([self.sebalai, "up"], env=self.env, cwd=ROOT, check=True, stdout=sys.stderr)
        self.facts = json.loads((self.home / "run/platform.json").read_text())

    def pin(self) -> None:
        """The gateway on the first core, everything else on the others (nginx and wrk are)."""
        cores = sorted(os.sched_getaffinity(0))
        for name, pid in self.pids().items():
            for process in _family(pid):
                process.cpu_affinity(cores[:1] if name == "gateway" else cores[1:] or cores)
        os.sched_setaffinity(0, cores[1:] or cores)

    def pids(self) -> dict[str, int]:
        """Each process of the platform, from the operator's own status command."""
        text = subprocess.run(
            [self.sebalai, "status", "--json"], env=self.env, cwd=ROOT, check=True,
            capture_output=True, text=True,
        ).stdout  # fmt: skip
        return {p["name"]: p["pid"] for p in json.loads(text)["processes"] if p.get("pid")}

    def gateway_seconds(self) -> float:
        """What the gateway has used of its core."""
        used = [process.cpu_times() for process in _family(self.pids()["gateway"])]
        return sum(times.user + times.system for times in used)

    def down(self) -> None:
        subprocess.run(
            [self.sebalai, "down"], env=self.env, cwd=ROOT, check=True, stdout=sys.stderr
        )

    def nginx(self) -> subprocess.Popen[bytes]:
        body = json.dumps({"filler": "x" * 1000})
        config = self.home / "nginx.conf"
        config.write_text(NGINX.format(home=self.home, provider=PROVIDER, peer=PEER, body=body))
        return subprocess.Popen(["nginx", "-p", str(self.home), "-c", str(config)])

    def token(self, name: str) -> str:
        found = next(a for a in self.facts["applications"] if f"{a['agency']}/{a['name']}" == name)
        key = ECKey.import_key(json.loads((ROOT / found["key_file"]).read_text()))
        now = int(time.time())
        claims = {
            "iss": found["client_id"], "sub": found["client_id"], "aud": self.facts["issuer"],
            "jti": str(uuid7()), "iat": now, "exp": now + 60,
        }  # fmt: skip
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION,
            "client_assertion": jwt.encode({"alg": "ES256"}, claims, key),
        }
        answer = httpx.post(f"{self.facts['gateway']}/oauth/token", data=form)
        return answer.raise_for_status().json()["access_token"]

    def post(self, name: str, path: str, body: dict[str, object] | None) -> dict[str, str]:
        headers = {
            "authorization": f"Bearer {self.token(name)}", "idempotency-key": str(uuid7())
        }  # fmt: skip
        url = f"{self.facts['gateway']}/api/exchange{path}"
        return httpx.post(url, json=body, headers=headers).raise_for_status().json()

    def publish(self) -> None:
        contract = {"openapi": "3.1.0", "info": {"title": "bench", "version": "1"}, "paths": PATHS}
        address = f"http://127.0.0.1:{PROVIDER}"
        self.post(
            OWNER,
            "/v1/interfaces",
            {"name": NAME, "title": "bench", "addresses": [address], "contract": contract},
        )
        asked = self.post(
            USER,
            "/v1/agreements",
            {
                "consumer": f"ID-BB/GOV/{USER}", "interface": NAME,
                "rules": [{"method": "GET", "path": "/**"}],
                "purposes": [{"code": PURPOSE, "legal_basis": "uji beban"}],
                "valid_until": "2027-06-01T00:00:00Z",
                "quota_per_day": 100_000_000, "rate_per_second": RATE_MAX, "burst": RATE_MAX,
            },
        )  # fmt: skip
        self.post(OWNER, f"/v1/agreements/{asked['id']}/grant", None)

    def wait_until_routed(self) -> None:
        headers = self.headers()
        for _ in range(100):
            if httpx.get(self.url(), headers=headers).status_code == 200:
                return
            time.sleep(0.1)
        raise SystemExit("the bench interface was not routed within 10 s")

    def url(self) -> str:
        return f"{self.facts['gateway']}/r1/{NAME}/x"

    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token(USER)}", "sebalai-purpose": PURPOSE}


def measure(bench: Bench) -> None:
    wrk(bench.url(), 32, SECONDS, bench.headers())  # warm-up
    wrk(f"http://127.0.0.1:{PEER}/x", 32, SECONDS, {})
    for callers in CALLERS:
        ours, peer = [], []
        for _ in range(ROUNDS):
            peer.append(wrk(f"http://127.0.0.1:{PEER}/x", callers, SECONDS, {}))
            headers, before = bench.headers(), bench.gateway_seconds()
            found = wrk(bench.url(), callers, SECONDS, headers)
            used = bench.gateway_seconds() - before
            ours.append(found | {"cpu": used * 1e6 / (found["calls"])})
        report(callers, ours, peer)


def report(callers: int, ours: list[dict[str, float]], peer: list[dict[str, float]]) -> None:
    for who, rounds in (("gateway", ours), ("nginx", peer)):
        figure(f"calls.{who}.{callers}.rate", middle(rounds, "rate"), "calls/s")
        figure(f"calls.{who}.{callers}.p50", middle(rounds, "p50"), "ms")
        figure(f"calls.{who}.{callers}.p99", middle(rounds, "p99"), "ms")
    figure(f"calls.gateway.{callers}.cpu", middle(ours, "cpu"), "µs/call")
    ratio = middle(ours, "rate") / middle(peer, "rate")
    figure(f"calls.ratio.{callers}", ratio, "of-nginx")
    figure(f"calls.gateway.{callers}.failed", sum(r["bad"] for r in ours), "calls", "<=", 0)
    if callers == 128:
        figure("calls.throughput", middle(ours, "rate"), "calls/s", ">=", 500)
        figure("calls.p99.128", middle(ours, "p99"), "ms", "<=", 1000)


def receipts_follow(bench: Bench) -> None:
    """How long after the last call its receipt could be fetched, with the load's backlog before it."""
    headers = bench.headers()
    message_id = httpx.get(bench.url(), headers=headers).headers["sebalai-message-id"]
    started = time.monotonic()
    while time.monotonic() - started < LEDGER_WAIT_SECONDS:
        answer = httpx.get(f"{bench.facts['gateway']}/receipts/{message_id}", headers=headers)
        if answer.status_code == 200:
            figure("calls.receipt_after_load", time.monotonic() - started, "s")
            size = answer.json()["log"]["size"]
            figure("calls.ledger_size", size, "leaves")
            break
        time.sleep(0.05)
    message_id = httpx.get(bench.url(), headers=headers).headers["sebalai-message-id"]
    started = time.monotonic()
    while httpx.get(
        f"{bench.facts['gateway']}/receipts/{message_id}", headers=headers
    ).status_code != 200:  # fmt: skip
        time.sleep(0.02)
    figure("calls.receipt_quiet", time.monotonic() - started, "s", "<=", 5)


def memory(bench: Bench) -> None:
    """Memory of each process of the platform and its children: shared pages are counted once."""
    total = 0.0
    for name, pid in bench.pids().items():
        mebibytes = sum(process.memory_full_info().pss for process in _family(pid)) / 2**20
        total += mebibytes
        figure(f"memory.{name}", mebibytes, "MiB")
    figure("memory.total", total, "MiB", "<=", 1536)


def _family(pid: int) -> list[psutil.Process]:
    return [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]


def run() -> None:
    missing = [tool for tool in ("nginx", "wrk") if shutil.which(tool) is None]
    if missing:
        raise SystemExit(
            f"the bench needs {' and '.join(missing)}: apt-get install nginx-light wrk"
        )
    with tempfile.TemporaryDirectory(prefix="sebalai-bench-") as folder:
        bench = Bench(Path(folder))
        nginx = bench.nginx()
        try:
            bench.up()
            bench.pin()
            bench.publish()
            bench.wait_until_routed()
            measure(bench)
            receipts_follow(bench)
            memory(bench)
        finally:
            bench.down()
            nginx.terminate()
            nginx.wait(10)
