"""Which gauges there are, and what of the running parts each of them reads."""

from __future__ import annotations

from collections.abc import Callable

from sebalai_gateway.calls.parts import Parts
from sebalai_gateway.calls.path import Calls
from sebalai_gateway.metering.gauges import LEAST, MOST, SUM, Reading


def watch(parts: Parts, calls: Calls, exchanges: Callable[[], int]) -> list[Reading]:
    """`exchanges` are those under way at the door, the edge's among them."""
    pool, journal, places = parts.forwarder.pool, parts.journal, calls.destinations
    return [
        Reading("exchanges", "Under way, calls and edge", SUM, exchanges),
        Reading("calls_at_providers", "Under way", SUM, lambda: places.exchanges[0]),
        Reading("calls_waiting", "For room at an interface", SUM, lambda: places.exchanges[1]),
        Reading("connections_busy", "To providers", SUM, lambda: pool.counts[0]),
        Reading("connections_idle", "To providers", SUM, lambda: pool.counts[1]),
        Reading("addresses_left_out", "After failures", MOST, lambda: places.left_out[0]),
        Reading("interfaces_shut", "No address is tried", MOST, lambda: places.left_out[1]),
        Reading("journal_queue", "Entries that wait for a commit", SUM, lambda: journal.queued),
        Reading("journal_up", "1 when it can be written", LEAST, lambda: journal.is_up),
        Reading("routes_version", "Of the table, -1 before any", LEAST, lambda: _version(parts)),
        Reading("credentials_missing", "Interfaces without their secret", MOST, calls.missing),
    ]


def _version(parts: Parts) -> int:
    table = parts.table()
    return -1 if table is None else table.version
