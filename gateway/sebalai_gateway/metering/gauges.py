"""What is read off the running parts once a second: room, connections, ages, what is left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from prometheus_client import CollectorRegistry, Gauge

READ_EACH_SECONDS = 1.0
# How the workers of one gateway add up: what each has is summed, of what all see the worst counts.
SUM: Literal["livesum"] = "livesum"
MOST: Literal["livemax"] = "livemax"
LEAST: Literal["livemin"] = "livemin"


@dataclass(frozen=True, slots=True)
class Reading:
    """One gauge: what it is called, what it says, how it adds up, and how it is read."""

    name: str
    told: str
    mode: Literal["livesum", "livemax", "livemin"]
    read: Callable[[], float]


class Gauges:
    def __init__(
        self,
        registry: CollectorRegistry,
        readings: list[Reading],
        ages: Callable[[], Mapping[str, float]],
    ) -> None:
        self._read = [
            (_gauge(registry, one.name, one.told, one.mode), one.read) for one in readings
        ]
        self._ages = ages
        self._age = Gauge(
            "sebalai_gateway_snapshot_age_seconds", "Since anything was heard", ["feed"],
            registry=registry, multiprocess_mode=MOST,
        )  # fmt: skip

    async def refresh(self) -> None:
        """In the loop, so that nothing changes meanwhile; whoever asks gets what was read last."""
        for gauge, read in self._read:
            gauge.set(read())
        for feed, age in self._ages().items():
            self._age.labels(feed).set(age)


def _gauge(
    registry: CollectorRegistry,
    name: str,
    told: str,
    mode: Literal["livesum", "livemax", "livemin"],
) -> Gauge:
    return Gauge(f"sebalai_gateway_{name}", told, registry=registry, multiprocess_mode=mode)
