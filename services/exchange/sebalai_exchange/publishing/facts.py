"""The facts that publishing itself makes."""

from dataclasses import dataclass
from datetime import datetime

from sebalai_shared.clock import Clock, to_text
from sebalai_shared.events import Event

EXPIRED = "exchange.event.expired.v1"
SOURCE = "urn:sebalai:exchange"


@dataclass(frozen=True)
class Forgotten:
    """`events` that were kept `kept_days` and stored within `span`; `positions` are the first and
    the last of them.
    """

    kept_days: int
    span: tuple[datetime, datetime]
    events: int
    positions: tuple[int, int]


def fact(told: Forgotten, clock: Clock) -> Event:
    begins, ends = told.span
    data = {
        "kept_days": told.kept_days,
        "stored_from": to_text(begins),
        "stored_until": to_text(ends),
        "events": told.events,
        "first_position": told.positions[0],
        "last_position": told.positions[1],
    }
    return Event(EXPIRED, SOURCE, f"{told.kept_days}-{begins:%Y-%m}", data, clock.now())
