"""Who holds a port, so that a person knows what to end or move."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress

import psutil

from sebalai_local.failures import Failure
from sebalai_local.units import is_free

COMMAND_CHARACTERS = 100


def owners() -> dict[int, str]:
    """Listening port → `pid 12 (command line)`, for those this user may see."""
    found: dict[int, str] = {}
    with suppress(psutil.AccessDenied):
        for one in psutil.net_connections(kind="tcp"):
            if one.status == psutil.CONN_LISTEN and one.laddr:
                found[one.laddr.port] = _described(one.pid)
    return found


def _described(pid: int | None) -> str:
    if pid is None:
        return "a process of another user (run `ss -ltnp` as root to see which)"
    with suppress(psutil.Error):
        command = " ".join(psutil.Process(pid).cmdline())
        return f"pid {pid} ({command[:COMMAND_CHARACTERS]})"
    return f"pid {pid}"


def require_free(wanted: Mapping[int, str]) -> None:
    """Raises: Failure, naming each taken port (port → what it is for) and its owner."""
    taken = [port for port in wanted if not is_free(port)]
    if not taken:
        return
    known = owners()
    lines = [
        f"Port {port} ({wanted[port]}) is taken by {known.get(port, _described(None))}."
        for port in taken
    ]
    raise Failure(
        "\n".join(lines),
        "End that process, or choose other ports: SEBALAI_PORT=9800 sebalai up",
    )


def still_taken(ports: Iterable[int]) -> list[int]:
    return [port for port in ports if not is_free(port)]
