"""Timed work on requests: deadlines, due dates, reminders. Each batch is one transaction."""

from collections.abc import Awaitable, Callable

from sebalai_shared.clock import Clock
from sebalai_shared.database import Database
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.requests.deadlines import (
    redo_due_dates,
    remind_and_lapse,
    tell_breaches,
)

DEADLINES_SECONDS = 30.0
BATCHES_MAX = 500
"""A pass ends after so many batches of one kind; the next pass goes on."""

Job = Callable[[AsyncSession, Clock], Awaitable[int]]


async def keep_deadlines(database: Database, clock: Clock) -> dict[str, int]:
    """One pass; due dates first, so that nobody is late by a calendar that has changed.

    Answers how many rows each part touched.
    """
    jobs: tuple[Job, ...] = (redo_due_dates, tell_breaches, remind_and_lapse)
    return {job.__name__: await _all(database, clock, job) for job in jobs}


async def _all(database: Database, clock: Clock, job: Job) -> int:
    done = 0
    for _ in range(BATCHES_MAX):
        async with database.transaction() as session:
            touched = await job(session, clock)
        done += touched
        if touched == 0:
            break
    return done
