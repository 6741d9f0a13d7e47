"""Timed work in batches: a transaction each, until nothing is left or the pass was long enough."""

from collections.abc import Awaitable, Callable

from sebalai_shared.clock import Clock
from sebalai_shared.database import Database
from sqlalchemy.ext.asyncio import AsyncSession

BATCHES_MAX = 500
"""A pass ends after so many batches of one kind; the next pass goes on."""

Job = Callable[[AsyncSession, Clock], Awaitable[int]]
"""Does one batch and answers how many rows it touched."""


async def in_batches(database: Database, clock: Clock, job: Job) -> int:
    """Answers how many rows all batches touched."""
    done = 0
    for _ in range(BATCHES_MAX):
        async with database.transaction() as session:
            touched = await job(session, clock)
        done += touched
        if touched == 0:
            break
    return done
