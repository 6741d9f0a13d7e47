"""Rows that a unique or an exclusion constraint keeps single, whoever comes at the same moment."""

from sebalai_shared.database import Base
from sebalai_shared.problems import Problem
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

UNIQUE_VIOLATION, EXCLUSION_VIOLATION = "23505", "23P01"


async def insert_once(session: AsyncSession, row: Base, refusal: Problem) -> None:
    """Raises `refusal` when such a row is there; the transaction goes on."""
    try:
        async with session.begin_nested():
            session.add(row)
            await session.flush()
    except IntegrityError as error:
        if getattr(error.orig, "sqlstate", None) not in {UNIQUE_VIOLATION, EXCLUSION_VIOLATION}:
            raise
        raise refusal from None
