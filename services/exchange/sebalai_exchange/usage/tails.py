"""The live tail of calls: what was noted since the last look, each half second, for each listener.

Bounded: so many listeners a process, so many calls a look, so long a listener.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from sebalai_shared.clock import Clock
from sebalai_shared.database import Database
from sebalai_shared.problems import Problem

from sebalai_exchange.usage import store
from sebalai_exchange.usage.access import View
from sebalai_exchange.usage.store import CallFilter

LISTENERS_MAX = 50
LOOK_SECONDS = 0.5
CALLS_A_LOOK_MAX = 200
FOLLOWED_SECONDS = 600.0
QUIET_LOOKS = 20


class TooManyTails(Problem):
    status, slug, title = 429, "too-many-tails", "Too many listen already"


class Tails:
    """One a process; `enter` and `leave` count who listens."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._listeners = clock, 0

    def enter(self) -> None:
        """Raises: TooManyTails."""
        if self._listeners >= LISTENERS_MAX:
            later = {"Retry-After": "30"}
            raise TooManyTails(f"At most {LISTENERS_MAX}; try later.", headers=later)
        self._listeners += 1

    def leave(self) -> None:
        self._listeners -= 1

    async def follow(
        self, database: Database, view: View, wanted: CallFilter
    ) -> AsyncIterator[Any]:
        """Calls as they are noted, and None now and then while there are none."""
        loop = asyncio.get_running_loop()
        ends, quiet, since = loop.time() + FOLLOWED_SECONDS, 0, self._clock.now()
        async with database.transaction() as session:
            after = await store.last_noted(session)
        yield None
        while loop.time() < ends:
            async with database.transaction() as session:
                rows = await store.newer(session, view, wanted, (after, since), CALLS_A_LOOK_MAX)
            for row in rows:
                after = row.noted
                yield row
            quiet = 0 if rows else quiet + 1
            if quiet == QUIET_LOOKS:
                quiet = 0
                yield None
            await asyncio.sleep(LOOK_SECONDS)
