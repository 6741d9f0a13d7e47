"""Rights of the subscriptions that have a stream open: one look in a process for all of them, each
second and whenever an agreement, an interface, a group or a subscription changes.

Whether a caller may see a subscription is settled at the door by the subscriber's name, which
never changes; so all its streams share what is looked up here, whoever opened them.
"""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from sebalai_shared.clock import Clock
from sebalai_shared.database import Database
from sebalai_shared.driver import FAILED
from sqlalchemy.exc import SQLAlchemyError

from sebalai_exchange.publishing.actions import Stored
from sebalai_exchange.subscriptions.actions import Matcher, Serving, servings

log = logging.getLogger(__name__)

REFRESH_SECONDS = 1.0
# What is revoked must stop within 2 s: rights that nobody could look up for so long count for none.
KEPT_SECONDS = 2.0
PAUSE_SECONDS = 0.05  # changes come in swarms
AWAY = (*FAILED, SQLAlchemyError)
_NOTHING = Matcher(frozenset(), {})


class Sleeper(Protocol):
    def wake(self) -> None: ...
    def pass_by(self, before: int, last: int) -> None: ...


class Right:
    """What one subscription may hear of now; its `listeners` end when it `is_over`."""

    def __init__(self, matcher: Matcher) -> None:
        self.matcher, self.is_over = matcher, False
        self.listeners: set[Sleeper] = set()

    def wake(self) -> None:
        """So that each of its streams sees what became of it."""
        for listener in self.listeners:
            listener.wake()

    def tell(self, events: Sequence[Stored]) -> None:
        """Of what the log grew by, looked at once for all streams of the subscription."""
        if any(self.matcher.hears(event) for event in events):
            self.wake()
            return
        for listener in self.listeners:
            listener.pass_by(events[0].pos - 1, events[-1].pos)

    def take(self, serving: Serving | None, kind: str) -> bool:
        """Whether it changed something that a sleeping stream must be woken for."""
        is_served = serving is not None and serving.serves(kind)
        self.matcher = serving.matcher if serving is not None and is_served else _NOTHING
        self.is_over = not is_served
        return self.is_over


class Rights:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._rights: dict[UUID, Right] = {}
        self._bell, self._looked_at = asyncio.Event(), float("-inf")

    def __len__(self) -> int:
        return len(self._rights)

    @property
    def are_fresh(self) -> bool:
        return asyncio.get_running_loop().time() - self._looked_at <= KEPT_SECONDS

    def ring(self, *_: object) -> None:
        self._bell.set()

    def enter(self, ident: UUID, matcher: Matcher) -> Right:
        """The right that all streams of a subscription share, begun with what was found at the
        door of the first.
        """
        right = self._rights.get(ident)
        if right is None or right.is_over:
            right = self._rights[ident] = Right(matcher)
        return right

    def leave(self, ident: UUID, right: Right) -> None:
        """Forgets it when nobody listens by it any more."""
        if not right.listeners and self._rights.get(ident) is right:
            del self._rights[ident]

    def tell(self, events: Sequence[Stored]) -> None:
        for right in self._rights.values():
            right.tell(events)

    async def run(self) -> None:
        """Runs until cancelled."""
        while True:
            self._bell.clear()  # before the look: a change during it must not be lost
            await self._look()
            await asyncio.sleep(PAUSE_SECONDS)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(REFRESH_SECONDS):
                    await self._bell.wait()

    async def _look(self) -> None:
        began, known = asyncio.get_running_loop().time(), dict(self._rights)
        try:
            found = await self._read(list(known))
        except AWAY as error:
            log.warning("rights wait for the database: %s", str(error) or type(error).__name__)
            return
        were_fresh, self._looked_at = self.are_fresh, began
        changed = [right.take(found.get(ident), "sse") for ident, right in known.items()]
        if any(changed) or not were_fresh:
            for right in known.values():
                right.wake()

    async def _read(self, idents: list[UUID]) -> dict[UUID, Serving]:
        if not idents:
            return {}
        async with self._database.transaction() as session:
            return await servings(session, self._clock, idents=idents)
