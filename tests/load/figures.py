"""How a figure is printed, and medians over rounds."""

from __future__ import annotations

from statistics import median


def figure(
    name: str, value: float, unit: str, relation: str = "", target: float | None = None
) -> None:
    """Prints one figure; a figure without a target is for the record."""
    goal = f" target {relation} {target:g}" if target is not None else " target none"
    print(f"figure {name} {value:.4g} {unit}{goal}", flush=True)


def middle(rounds: list[dict[str, float]], key: str) -> float:
    return median(r[key] for r in rounds)
