"""A call's entries in the journal: `requested` before it is forwarded, then how it ended.

Owns what a call waits for; the record itself is `record`'s, group commit the journal's.
"""

from __future__ import annotations

import time

from sebalai_gateway.calls.parts import Withheld
from sebalai_gateway.calls.record import Call
from sebalai_gateway.calls.reply import Reply
from sebalai_gateway.journal.writer import AlreadyCompleted, Journal, JournalUnavailable
from sebalai_gateway.refusals import Refusal


class Evidence:
    def __init__(self, journal: Journal) -> None:
        self._append = journal.append

    async def requested(self, call: Call, total_seconds: float) -> None:
        """Commits that it is asked for. Raises: JournalUnavailable."""
        record, at = call.request_record(total_seconds), call.facts["requested_at"]
        began = time.perf_counter()
        try:
            await self._append(call.name, "requested", at, record)
        finally:
            call.journal_seconds = time.perf_counter() - began

    async def complete(self, call: Call, reply: Reply, outcome: str, status: int) -> None:
        """Commits how it ended, or withholds the end of the answer.

        Raises: Withheld; of a refusal JournalUnavailable.
        """
        at = call.stamp("completed_at")
        record, began = call.record(outcome, status), time.perf_counter()
        try:
            await self._append(call.name, "completed", at, record)
        except (JournalUnavailable, AlreadyCompleted) as error:
            if outcome == "refused":
                raise JournalUnavailable from error
            raise Withheld("journal") from error
        finally:
            call.journal_seconds += time.perf_counter() - began
        reply.is_receipted, call.outcome = True, outcome

    async def refused(self, call: Call, reply: Reply, refusal: Refusal) -> None:
        """A refusal is journalled before it is answered; the provider never hears of it.

        Raises: JournalUnavailable.
        """
        call.facts |= {"problem": refusal.slug, "request": None}
        call.facts |= {k: v for k, v in refusal.context.items() if v is not None}
        # Whoever guesses must not fill the journal.
        if refusal.slug != "too-many-bad-tokens":
            await self.complete(call, reply, "refused", refusal.status)
        await reply.problem(refusal)
