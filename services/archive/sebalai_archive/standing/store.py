"""SQL of standings; only the operator lists them."""

from datetime import datetime

from sebalai_shared.caller import Caller
from sqlalchemy import Select, false, select
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.standing.model import Standing


def visible_to(caller: Caller) -> Select[Standing]:
    query = select(Standing)
    return query if caller.is_operator else query.where(false())


async def find(session: AsyncSession, caller: Caller, subject: str) -> Standing | None:
    return await session.scalar(visible_to(caller).where(Standing.subject == subject))


async def of(session: AsyncSession, caller: Caller, now: datetime) -> Standing | None:
    """The caller's own standing at that moment, in the agency it calls for."""
    found = await session.get(Standing, caller.subject or "")
    if found is None or found.agency != caller.agency or found.valid_from > now:
        return None
    return found if found.valid_until is None or found.valid_until > now else None
