"""Who reads: a caller with its standing in the province, as the security rules see it.

Owns the value and how a transaction learns of it (settings that the row security reads). Which
rank a subject has is the slice `standing`'s to know.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

Rank = Literal["policy_maker", "head", "administrator", "supervisor", "staff", "external"]
Seat = Rank | Literal["system", "public", "operator", "worker"]
SecurityClass = Literal["biasa", "terbatas", "rahasia", "sangat_rahasia"]
CLASSES: tuple[SecurityClass, ...] = ("biasa", "terbatas", "rahasia", "sangat_rahasia")


@dataclass(frozen=True, slots=True)
class Reader:
    """`rank` is an official's (eselon I to IV, staff), or `system` for an application, `public`,
    `operator`; `assignment` the letter that sends an inspector.
    """

    rank: Seat
    now: datetime
    subject: str = ""
    agency: str = ""
    unit: str | None = None
    is_archivist: bool = False
    assignment: str | None = None


_ENTER = text(
    "SELECT set_config('archive.rank', :rank, true), set_config('archive.subject', :subject, true),"
    " set_config('archive.agency', :agency, true), set_config('archive.unit', :unit, true),"
    " set_config('archive.archivist', :archivist, true),"
    " set_config('archive.assigned', :assigned, true), set_config('archive.now', :now, true)"
)


async def enter(session: AsyncSession, reader: Reader) -> None:
    """Tells the row security who reads until this transaction ends; untold, it shows nothing."""
    await session.execute(
        _ENTER,
        {
            "rank": reader.rank,
            "subject": reader.subject,
            "agency": reader.agency,
            "unit": reader.unit or "",
            "archivist": "yes" if reader.is_archivist else "no",
            "assigned": "yes" if reader.assignment else "no",
            "now": reader.now.isoformat(),
        },
    )


async def enter_as_worker(session: AsyncSession, now: datetime) -> None:
    """For timed work of the archive itself, which serves no caller."""
    await enter(session, Reader("worker", now))
