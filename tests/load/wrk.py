"""wrk, and what it says."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path


def wrk(
    url: str, callers: int, seconds: int, headers: dict[str, str], script: Path | None = None
) -> dict[str, float]:
    """One round of `callers` keep-alive connections: calls in all and a second, milliseconds, and
    how many were not answered 2xx.
    """
    options = [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
    command = ["wrk", "-t1", f"-c{callers}", f"-d{seconds}s", "--latency", "--timeout", "10s"]
    command += ["-s", str(script)] if script is not None else []
    done = subprocess.run([*command, *options, url], capture_output=True, text=True, check=True)
    text = done.stdout
    bad = re.findall(r"Non-2xx or 3xx responses: (\d+)", text)
    for broken in re.findall(r"Socket errors: (.+)", text):
        bad += re.findall(r"\d+", broken)
    return {
        "calls": float(_found(r"(\d+) requests in", text)),
        "rate": float(_found(r"Requests/sec:\s+([\d.]+)", text)),
        "p50": _milliseconds(text, "50%"),
        "p99": _milliseconds(text, "99%"),
        "bad": float(sum(map(int, bad))),
    }


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    if found is None:
        raise SystemExit(f"wrk said something else:\n{text}")
    return found[1]


def _milliseconds(text: str, share: str) -> float:
    found = re.search(rf"{share}\s+([\d.]+)(us|ms|s)", text)
    if found is None:
        raise SystemExit(f"wrk said something else:\n{text}")
    return float(found[1]) * {"us": 0.001, "ms": 1, "s": 1000}[found[2]]
