"""Which addresses are being asked whether they want our webhooks, and what their answer changes.

An answer counts for the address that gave it: one that was changed meanwhile is asked itself.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from uuid import UUID
from weakref import WeakValueDictionary

from sebalai_shared.clock import Clock
from sebalai_shared.database import Database

from sebalai_exchange.deliveries.handshake import PAUSE_SECONDS, TRIES, agrees
from sebalai_exchange.deliveries.sender import Sender
from sebalai_exchange.subscriptions.actions import Subscription, conclude

# Of one application at once: whoever names a thousand addresses waits for its own answers.
ASKED_OF_ONE_MAX = 8

Asked = tuple[UUID, str | None]


class Verifications:
    """`sender` makes a client of one address; `public_url` is what we ask in the name of."""

    def __init__(
        self, database: Database, clock: Clock, sender: Callable[[], Sender], public_url: str
    ) -> None:
        self._database, self._clock = database, clock
        self._sender, self._public_url = sender, public_url
        self._tasks: dict[Asked, asyncio.Task[None]] = {}
        self._turns: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    def follow(self, live: Iterable[Subscription]) -> None:
        """Asks those that wait for it, and leaves off asking where nobody waits any more."""
        wanted = {(one.id, one.url): one for one in live if one.state == "verifying"}
        for asked in self._tasks.keys() - wanted.keys():
            self._tasks.pop(asked).cancel()
        for asked, one in wanted.items():
            if asked not in self._tasks:
                task = self._tasks[asked] = asyncio.create_task(self._verify(one))
                task.add_done_callback(lambda done, asked=asked: self._ended(asked, done))

    def _ended(self, asked: Asked, done: asyncio.Task[None]) -> None:
        if self._tasks.get(asked) is done:
            del self._tasks[asked]

    async def close(self) -> None:
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _verify(self, one: Subscription) -> None:
        turns = self._turns.setdefault(one.subscriber, asyncio.Semaphore(ASKED_OF_ONE_MAX))
        async with turns:
            is_agreed, reason = await self._ask(one)
        state = "active" if is_agreed else "disabled"
        async with self._database.transaction() as session:
            wanted = ("verifying", state, None if is_agreed else reason)
            await conclude(session, self._clock, of=one, wanted=wanted)

    async def _ask(self, one: Subscription) -> tuple[bool, str]:
        with contextlib.closing(self._sender()) as sender:
            is_agreed, reason = await agrees(sender, one, self._public_url)
            for number in range(1, TRIES):
                if is_agreed:
                    break
                await asyncio.sleep(PAUSE_SECONDS * number)
                is_agreed, reason = await agrees(sender, one, self._public_url)
        return is_agreed, reason
