"""Timed work: tells what ended by itself. The end itself needs no job: a period is a period."""

from datetime import timedelta

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.desk import Desk
from sebalai_identity.postings.actions import tell_lapsed

LAPSES_EACH = timedelta(seconds=15)
WORKER = Caller(kind="system", subject="identity-worker")


async def lapse(session: AsyncSession, clock: Clock) -> int:
    return await tell_lapsed(session, Desk(WORKER, clock))
