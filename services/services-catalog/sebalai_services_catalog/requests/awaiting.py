"""A file that waits for evidence an officer asked for: what is open meanwhile, and how it ends.

The clock of the promise runs on: who asks late pays with their own time. The holder's term runs
beside it, by the holder's calendar. Uploading the paper instead stays possible.
"""

from collections.abc import Collection

from sebalai_shared.clock import Clock
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.requests.model import ServiceRequest
from sebalai_services_catalog.requests.steps import Hand, Step, go_on, take_platform_step

END_ROWS = 200
TOO_LATE = "Bukti tidak datang sampai batas waktu"


def open_codes(row: ServiceRequest) -> frozenset[str] | None:
    """Requirements that the applicant may answer now, of a file in their hands; null for all."""
    if row.asked is not None:
        return frozenset(row.asked["codes"])
    if row.state == "returned":
        return frozenset(mark["code"] for mark in row.marks)
    return None


async def note_answered(session: AsyncSession, hand: Hand, codes: Collection[str]) -> None:
    """The file goes on by itself once nothing of what was asked is open any more."""
    asked = hand.row.asked
    if asked is None:
        return
    left = [code for code in asked["codes"] if code not in codes]
    hand.row.asked = asked | {"codes": left}
    if not left:
        detail = {"evidence_type": asked["evidence_type"], "holder": asked["holder"]}
        await go_on(session, hand, Step("receive_evidence", detail=detail))


async def end_waiting(session: AsyncSession, clock: Clock) -> int:
    """Files whose evidence did not come in time go back to who asked; at most END_ROWS a call."""
    rows = await session.scalars(
        select(ServiceRequest)
        .where(
            ServiceRequest.state == "awaiting_evidence", ServiceRequest.evidence_by <= clock.now()
        )
        .order_by(ServiceRequest.evidence_by)
        .limit(END_ROWS)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    done = 0
    for row in rows.all():
        await take_platform_step(session, clock, row=row, wanted=Step("fail_evidence", TOO_LATE))
        done += 1
    return done
