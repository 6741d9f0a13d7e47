"""The gateway on each lane beside the proxies of others: one core each, in turns, and the same 1 KiB
of JSON behind all. All of them decide the same calls (`workload`: a thousand tokens, 51,000
agreements), which is tried before. Everything of a call is on in the gateway but what comes after it
(ledger).

Provider, load and the journal's PostgreSQL share the other core. Where that core is the busy one,
the rate says nothing of the proxy: read the processor time of a call then.
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path

import large
import paced
import refusing
import rivals
import workload
from alone import Alone, seconds_of
from figures import figure, middle
from wrk import wrk

ROUNDS = int(os.environ.get("SEBALAI_BENCH_ROUNDS", "5"))
SECONDS = int(os.environ.get("SEBALAI_BENCH_SECONDS", "3"))
BASE = int(os.environ.get("SEBALAI_PORT", "8900"))
CALLERS, MANY_CALLERS = 64, 1_000
LANES = ("asgi", "fast")
TOKENS = 20_000
CORES = sorted(os.sched_getaffinity(0))
FIRST, OTHERS = CORES[:1], CORES[1:] or CORES
# Of whom what each lane must reach, in calls a second of one core.
TARGETS = {
    ("asgi", "nginx_lua"): 0.25, ("fast", "nginx_lua"): 0.45, ("asgi", "envoy"): 0.7,
    ("fast", "envoy"): 1.3, ("asgi", "fastapi_httpx"): 15, ("fast", "fastapi_httpx"): 15,
}  # fmt: skip
PROVIDER = """
worker_processes 1; daemon off; pid {home}/provider.pid; error_log {home}/provider.log warn;
events {{ worker_connections 8192; }}
http {{ access_log off; client_body_temp_path {home}/b; proxy_temp_path {home}/p;
  fastcgi_temp_path {home}/f; uwsgi_temp_path {home}/u; scgi_temp_path {home}/s;
  keepalive_requests 1000000; tcp_nodelay on; sendfile on;
  server {{ listen 127.0.0.1:{port} backlog=4096; default_type application/json;
    location / {{ return 200 '{body}'; }} location ~ /large$ {{ alias {home}/large; }} }} }}
"""
Served = tuple[int, int]  # port and process


def run() -> None:
    """Prints the figures of all proxies, then what else is asked of the gateway's lanes."""
    for tool in ("nginx", "wrk"):
        if shutil.which(tool) is None:
            raise SystemExit(f"the bench needs {tool}: apt-get install nginx wrk")
    os.sched_setaffinity(0, OTHERS)
    with tempfile.TemporaryDirectory(prefix="sebalai-bench-") as folder:
        Path(folder).chmod(0o755)
        ports = itertools.count(BASE + 50).__next__
        with _provider(Path(folder), ports()) as provider, _alone(folder, provider) as alone:
            lanes = {lane: _lane(alone, ports(), lane) for lane in LANES}
            others = rivals.start(alone, provider, ports)
            try:
                check(alone, lanes, others)
                compare(alone, lanes | {one.name: (one.port, one.process.pid) for one in others})
            finally:
                rivals.stop([one for one in others if one.name != "nginx"])
            paced.run(alone, lanes, provider)
            many_callers(alone, lanes)
            two_workers(alone, lanes["fast"], ports())
            first_sight(alone, lanes)
            plain = [one for one in others if one.name == "nginx"]
            large.run(alone, lanes, plain[0].port)
            rivals.stop(plain)
            # Last: who shows so many is taken no new token from for a minute, good or bad.
            forged(alone, lanes)


@contextlib.contextmanager
def _provider(home: Path, port: int) -> Generator[int]:
    (home / "large").touch()
    os.truncate(home / "large", large.BYTES)
    body = json.dumps({"filler": "x" * 1000})
    (home / "provider.conf").write_text(PROVIDER.format(home=home, port=port, body=body))
    with subprocess.Popen(["nginx", "-p", str(home), "-c", str(home / "provider.conf")]) as nginx:
        try:
            yield port
        finally:
            nginx.terminate()


@contextlib.contextmanager
def _alone(folder: str, provider: int) -> Generator[Alone]:
    home = Path(folder) / "gateway"
    home.mkdir()
    with large.sink() as sink:
        sink_url = f"http://127.0.0.1:{sink.server_address[1]}"
        alone = Alone(home, f"http://127.0.0.1:{provider}", sink_url)
        try:
            yield alone
        finally:
            alone.stop()
            sink.shutdown()


def _lane(alone: Alone, port: int, lane: str, **more: str) -> Served:
    return port, alone.gateway(port, FIRST, lane=lane, **more).pid


def check(alone: Alone, lanes: dict[str, Served], others: list[rivals.Rival]) -> None:
    """Raises: SystemExit, when one of them lets a bad call through."""
    deciding = {one.name: one.port for one in others if one.decides}
    for name, port in deciding.items():
        refusing.check(alone, name, port)
    for lane, (port, _) in lanes.items():
        refusing.check(alone, lane, port)


def measured(served: Served, callers: int, script: Path) -> dict[str, float]:
    """One round, with the processor time of a call in microseconds."""
    before = seconds_of(served[1])
    found = wrk(f"http://127.0.0.1:{served[0]}/", callers, SECONDS, {}, script)
    return found | {"cpu": (seconds_of(served[1]) - before) * 1e6 / max(1, found["calls"])}


def in_turns(
    served: dict[str, Served], ask: Callable[[Served], dict[str, float]]
) -> dict[str, list[dict[str, float]]]:
    """Rounds of all of them, one after the other; the first one of each warms it up."""
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in served}
    for number in range(ROUNDS + 1):
        for name, one in served.items():
            found = ask(one)
            if number:
                rounds[name].append(found)
    return rounds


def compare(alone: Alone, served: dict[str, Served]) -> None:
    script = _of_all(alone)
    rounds = in_turns(served, lambda one: measured(one, CALLERS, script))
    for name, found in rounds.items():
        for what, unit in (("rate", "calls/s"), ("cpu", "µs/call"), ("p50", "ms"), ("p99", "ms")):
            figure(f"proxies.{name}.{what}", middle(found, what), unit)
        figure(f"proxies.{name}.failed", sum(r["bad"] for r in found), "calls", "<=", 0)
    for (lane, other), target in TARGETS.items():
        if other in rounds:
            ratio = middle(rounds[other], "cpu") / middle(rounds[lane], "cpu")
            figure(f"proxies.{lane}.of_{other}", ratio, "times a core", ">=", target)
            rate = middle(rounds[lane], "rate") / middle(rounds[other], "rate")
            figure(f"proxies.{lane}.of_{other}.rate", rate, "times")


def many_callers(alone: Alone, lanes: dict[str, Served]) -> None:
    script = _of_all(alone)
    for name, found in in_turns(lanes, lambda one: measured(one, MANY_CALLERS, script)).items():
        figure(f"proxies.{name}.1000_callers.rate", middle(found, "rate"), "calls/s")
        figure(f"proxies.{name}.1000_callers.p99", middle(found, "p99"), "ms", "<=", 1_000)
        bad = sum(one["bad"] for one in found)
        figure(f"proxies.{name}.1000_callers.failed", bad, "calls", "<=", 0)


def first_sight(alone: Alone, lanes: dict[str, Served]) -> None:
    """Tokens nobody has shown before."""
    number = itertools.count().__next__
    for name, found in _shown(alone, lanes, lambda: alone.call(number())).items():
        cpu = middle(found, "cpu")
        figure(f"proxies.{name}.new_tokens", 1e6 / cpu, "calls/s a core", ">=", 3_000)
        figure(f"proxies.{name}.new_tokens.cpu", cpu, "µs/call")
        bad = sum(one["bad"] for one in found)
        figure(f"proxies.{name}.new_tokens.failed", bad, "calls", "<=", 0)


def forged(alone: Alone, lanes: dict[str, Served]) -> None:
    """Tokens that nobody has signed; most meet the throttle, which is what they are to meet."""
    for name, found in _shown(alone, lanes, _forger(alone)).items():
        figure(f"proxies.{name}.forged_tokens.cpu", middle(found, "cpu"), "µs/call")
        answered = sum(one["calls"] - one["bad"] for one in found)
        figure(f"proxies.{name}.forged_tokens.answered", answered, "calls", "<=", 0)


def _shown(
    alone: Alone, lanes: dict[str, Served], make: Callable[[], workload.Call]
) -> dict[str, list[dict[str, float]]]:
    """Rounds of calls each with a token of its own."""
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in lanes}
    for _ in range(min(3, ROUNDS)):
        script = workload.script(alone.folder, [make() for _ in range(TOKENS)])
        for name, one in lanes.items():
            rounds[name].append(measured(one, CALLERS, script))
    return rounds


def _forger(alone: Alone) -> Callable[[], workload.Call]:
    call = alone.call(0)
    head, body, _ = call.token.split(".")

    def forge() -> workload.Call:
        signature = base64.urlsafe_b64encode(os.urandom(64)).rstrip(b"=").decode()
        return call._replace(token=f"{head}.{body}.{signature}")

    return forge


def _of_all(alone: Alone) -> Path:
    """A call by each consumer, over and over."""
    return workload.script(alone.folder, alone.calls)


def two_workers(alone: Alone, one: Served, port: int) -> None:
    """What a second core brings, by the processor time of a call: with load and database on the
    same two cores the rate could not show it.
    """
    pid = alone.gateway(port, CORES[:2], lane="fast", workers="2").pid
    script, served = _of_all(alone), {"one": one, "two": (port, pid)}
    rounds = in_turns(served, lambda which: measured(which, CALLERS, script))
    gain = 2 * middle(rounds["one"], "cpu") / middle(rounds["two"], "cpu")
    figure("proxies.two_workers.cpu", middle(rounds["two"], "cpu"), "µs/call")
    figure("proxies.two_workers.gain", gain, "times", ">=", 1.8)
