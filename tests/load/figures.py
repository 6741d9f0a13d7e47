"""How a figure is printed, and medians over rounds."""

from __future__ import annotations

import os
from pathlib import Path
from statistics import median


def figure(
    name: str, value: float, unit: str, relation: str = "", target: float | None = None
) -> None:
    """Prints one figure; a figure without a target is for the record."""
    goal = f" target {relation} {target:g}" if target is not None else " target none"
    print(f"figure {name} {value:.4g} {unit}{goal}", flush=True)


def middle(rounds: list[dict[str, float]], key: str) -> float:
    return median(r[key] for r in rounds)


def processor_seconds(pid: int) -> float:
    """What a process has spent of the processor, its kernel time included (Linux, proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid: int) -> int:
    """What a process holds of memory now."""
    pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
