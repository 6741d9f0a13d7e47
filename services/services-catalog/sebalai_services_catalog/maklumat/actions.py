"""Decisions about maklumat pelayanan: the head's signed promise to keep the standards or bear the
sanctions (UU 25/2009 art. 22). A new one replaces the current one, which stays readable.
"""

from collections.abc import Sequence
from datetime import date

from pydantic import BaseModel, ConfigDict
from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.ids import uuid7
from sebalai_shared.problems import Forbidden
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.maklumat.access import DECIDE, may_enter
from sebalai_services_catalog.maklumat.model import Maklumat

KEPT_SHOWN = 20


class MaklumatRefused(Forbidden):
    slug, title = "maklumat-refused", "This caller may not enter the agency's maklumat"


class Promise(BaseModel):
    """What was signed: the text, by whom in which position, on which day."""

    model_config = ConfigDict(from_attributes=True)

    text_id: str
    signer: str
    signer_position: str
    signed_on: date


async def list_maklumat(session: AsyncSession, *, agency: str) -> Sequence[Maklumat]:
    """The current one first; at most KEPT_SHOWN."""
    query = select(Maklumat).where(Maklumat.agency == agency).order_by(Maklumat.id.desc())
    return (await session.scalars(query.limit(KEPT_SHOWN))).all()


async def enter_maklumat(
    session: AsyncSession, clock: Clock, *, caller: Caller, agency: str, promise: Promise
) -> Maklumat:
    """The same promise again changes nothing. Raises: MaklumatRefused."""
    if not may_enter(caller, agency):
        raise MaklumatRefused(f"Only {agency} with scope {DECIDE} may.")
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtext(:key))"), {"key": f"maklumat/{agency}"}
    )
    in_force = select(Maklumat).where(Maklumat.agency == agency, Maklumat.replaced_at.is_(None))
    current = (await session.scalars(in_force)).one_or_none()
    if current is not None and Promise.model_validate(current) == promise:
        return current
    now = clock.now()
    if current is not None:
        current.replaced_at = now
        await session.flush()
    row = Maklumat(
        id=uuid7(), agency=agency, entered_by=str(caller.subject), entered_at=now,
        **promise.model_dump(),
    )  # fmt: skip
    session.add(row)
    await session.flush()
    return row
