"""Small contents that come at the same time share a transaction, a thread and turns to the disk.

While a transaction of a caller is under way, what it sends more waits and goes with the next:
the rate of documents does not hang on the rate of fsyncs and statements. Nobody waits for a timer.
Owns no decision: `actions.together` takes what is plainly right, the rest goes the way of one.
"""

import asyncio
from dataclasses import dataclass, field
from uuid import UUID
from weakref import WeakValueDictionary

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.database import Database
from sqlalchemy.exc import SQLAlchemyError

from sebalai_archive.content_store import ContentStore
from sebalai_archive.records.actions.together import SmallContent, Taken, take_together

TOGETHER_MAX = 32

_Sender = tuple[object, ...]


@dataclass(slots=True)
class _Batch:
    turns: asyncio.Lock
    sent: dict[UUID, SmallContent] = field(default_factory=dict[UUID, SmallContent])
    task: asyncio.Task[Taken] = field(init=False)

    def has_room_for(self, one: SmallContent) -> bool:
        return len(self.sent) < TOGETHER_MAX and one.record_id not in self.sent


class Together:
    def __init__(self, database: Database, content: ContentStore, clock: Clock) -> None:
        self._database, self._content, self._clock = database, content, clock
        self._open: dict[_Sender, _Batch] = {}
        self._turns: WeakValueDictionary[_Sender, asyncio.Lock] = WeakValueDictionary()

    async def take(self, caller: Caller, one: SmallContent) -> Taken:
        """The record's id is in the answer when its content was taken."""
        sender = caller.kind, caller.subject, caller.agency, caller.scopes
        batch = self._open.get(sender)
        if batch is None or not batch.has_room_for(one):
            turns = self._turns.setdefault(sender, asyncio.Lock())
            batch = self._open[sender] = _Batch(turns)
            batch.task = asyncio.create_task(self._run(sender, caller, batch))
        batch.sent[one.record_id] = one
        return await asyncio.shield(batch.task)

    async def _run(self, sender: _Sender, caller: Caller, batch: _Batch) -> Taken:
        """Nothing, when it fails: each then meets the failure on its own, or no more."""
        async with batch.turns:
            if self._open.get(sender) is batch:
                del self._open[sender]
            try:
                async with self._database.transaction() as session:
                    sent = list(batch.sent.values())
                    return await take_together(
                        session, self._clock, self._content, caller=caller, sent=sent
                    )
            except (OSError, SQLAlchemyError):
                return {}
