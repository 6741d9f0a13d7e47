"""Timed work on requests: deadlines, due dates, reminders. Each batch is one transaction."""

from sebalai_shared.clock import Clock
from sebalai_shared.database import Database

from sebalai_services_catalog.batches import Job, in_batches
from sebalai_services_catalog.requests.awaiting import end_waiting
from sebalai_services_catalog.requests.deadlines import (
    redo_due_dates,
    remind_and_lapse,
    tell_breaches,
)
from sebalai_services_catalog.requests.windows import redo_windows

DEADLINES_SECONDS = 30.0


async def keep_deadlines(database: Database, clock: Clock) -> dict[str, int]:
    """One pass; due dates first, so that nobody is late by a calendar that has changed.

    Answers how many rows each part touched.
    """
    jobs: tuple[Job, ...] = (
        redo_due_dates, redo_windows, tell_breaches, remind_and_lapse, end_waiting
    )  # fmt: skip
    return {job.__name__: await in_batches(database, clock, job) for job in jobs}
