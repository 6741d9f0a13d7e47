"""A gibibyte up and down, and past a reader and a provider that are slow: how much a worker grows,
and how fast it is beside nginx, which hashes nothing.
"""

from __future__ import annotations

import os
import socket
import socketserver
import statistics
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from alone import Alone
from figures import figure
from workload import INTERFACE, SINK

BYTES = int(os.environ.get("SEBALAI_BENCH_BYTES", str(1024**3)))
SLOW_BYTES, SLOW_BYTES_A_SECOND = BYTES // 4, 40 * 1024 * 1024
PIECE = bytes(256 * 1024)
ROUNDS = 3
GROWTH_MIB, SHARE_OF_NGINX = 16, 0.4
Move = Callable[[int, dict[str, str]], float]


class _Reads(socketserver.BaseRequestHandler):
    """A provider that takes a body and keeps nothing; slowly, where its path says so."""

    def handle(self) -> None:
        while head := _head(self.request):
            length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
            pace = SLOW_BYTES_A_SECOND if b"/slow" in head.split(b"\r\n")[0] else None
            _take(self.request, length, pace)
            self.request.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


def sink() -> socketserver.ThreadingTCPServer:
    """Serves until it is shut down; `server_address` tells where."""
    socketserver.ThreadingTCPServer.daemon_threads = True
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Reads)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def run(alone: Alone, lanes: dict[str, tuple[int, int]], nginx: int) -> None:
    """Prints growth in MiB and speed for each lane; `nginx` is its port."""
    for name, move in (("down", _down(BYTES)), ("up", _up(BYTES))):
        speeds: dict[str, list[float]] = {who: [] for who in ("nginx", *lanes)}
        grown = dict.fromkeys(lanes, 0.0)
        for _ in range(ROUNDS):
            speeds["nginx"].append(move(nginx, alone.headers()))
            for lane, served in lanes.items():
                speed, growth = _watched(served, move, alone)
                speeds[lane].append(speed)
                grown[lane] = max(grown[lane], growth)
        for lane in lanes:
            speed, peer = statistics.median(speeds[lane]), statistics.median(speeds["nginx"])
            figure(f"large.{lane}.{name}.growth", grown[lane], "MiB", "<=", GROWTH_MIB)
            figure(f"large.{lane}.{name}.speed", speed, "MB/s")
            figure(f"large.{lane}.{name}.of_nginx", speed / peer, "times", ">=", SHARE_OF_NGINX)
    slow = {"reader": _down(SLOW_BYTES, SLOW_BYTES_A_SECOND), "sink": _up(SLOW_BYTES, "slow")}
    for name, move in slow.items():
        for lane, served in lanes.items():
            _, growth = _watched(served, move, alone)
            figure(f"large.{lane}.slow_{name}.growth", growth, "MiB", "<=", GROWTH_MIB)


def _watched(served: tuple[int, int], move: Move, alone: Alone) -> tuple[float, float]:
    """Speed in MB/s, and how far the worker's memory rose over where it began, in MiB."""
    port, pid = served
    Path(f"/proc/{pid}/clear_refs").write_text("5")  # forgets the peak (proc(5))
    began = psutil.Process(pid).memory_info().rss
    speed = move(port, alone.headers())
    peak = next(
        line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if "VmHWM" in line
    )
    return speed, (int(peak.split()[1]) * 1024 - began) / 2**20


def _down(size: int, pace: int | None = None) -> Move:
    def move(port: int, headers: dict[str, str]) -> float:
        with _asked(port, f"GET /r1/{INTERFACE}/large", headers) as server:
            began = time.perf_counter()
            head = _head(server)
            if not head.startswith(b"HTTP/1.1 200"):
                raise SystemExit(head.decode("latin-1"))
            _take(server, size, pace)
        return size / 1e6 / (time.perf_counter() - began)

    return move


def _up(size: int, path: str = "fast") -> Move:
    def move(port: int, headers: dict[str, str]) -> float:
        told = headers | {"content-length": str(size)}
        with _asked(port, f"PUT /r1/{SINK}/{path}", told) as server:
            began = time.perf_counter()
            for _ in range(size // len(PIECE)):
                server.sendall(PIECE)
            head = _head(server)
            if not head.startswith(b"HTTP/1.1 200"):
                raise SystemExit(head.decode("latin-1"))
        return size / 1e6 / (time.perf_counter() - began)

    return move


def _asked(port: int, line: str, headers: dict[str, str]) -> socket.socket:
    server = socket.create_connection(("127.0.0.1", port))
    lines = [f"{line} HTTP/1.1", "host: bench", *(f"{n}: {v}" for n, v in headers.items())]
    server.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
    return server


def _head(server: socket.socket) -> bytes:
    """Byte by byte, so that nothing of the body is taken with it."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        more = server.recv(1)
        if not more:
            return b""
        head += more
    return head


def _take(server: socket.socket, size: int, pace: int | None) -> None:
    room, left, began = bytearray(1024 * 1024), size, time.perf_counter()
    while left:
        got = server.recv_into(room, min(left, len(room)))
        if not got:
            raise SystemExit(f"{left} bytes did not come")
        left -= got
        if pace is not None:
            time.sleep(max(0.0, (size - left) / pace - (time.perf_counter() - began)))
