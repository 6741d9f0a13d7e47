"""The minutes as a signed PDF/A record: rendered, signed by the executor, declared, named once.

Three steps as for a letter, because a signature may take seconds and no lock waits for it; a crash
between them leaves content that no row names. Who comes second gets what the first has made.
"""

from dataclasses import dataclass, replace
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.database import Database
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.content_store import ContentStore, Stored
from sebalai_archive.disposals import actions, machine, minutes, store
from sebalai_archive.disposals.model import Disposal, DisposalMinutes
from sebalai_archive.disposals.schema import MinutesIssue
from sebalai_archive.reader import SecurityClass
from sebalai_archive.records import actions as records
from sebalai_archive.rendering import minutes as rendering
from sebalai_archive.signatures import actions as signatures
from sebalai_archive.signing.signer import Intent, Signer

REASON = "Menandatangani berita acara"
CLASS: SecurityClass = "terbatas"
STEP: machine.StepName = "minute"
CODES: dict[machine.Kind, str] = {
    "transfer": "000.5.6.1",
    "destruction": "000.5.6.2",
    "handover": "000.5.6.3",
}


@dataclass(frozen=True, slots=True)
class Desk:
    """What issuing the minutes needs besides the disposal."""

    database: Database
    clock: Clock
    content: ContentStore
    signer: Signer


async def issue_minutes(
    desk: Desk, *, caller: Caller, disposal_id: UUID, wanted: MinutesIssue
) -> Disposal:
    """By the executor, between the execution and the step `minute`. Asking again answers the same.

    Raises: DisposalUnknown, NotYourPart, StepOutOfOrder, SigningUnavailable.
    """
    async with desk.database.transaction() as session:
        disposal = await _of_executor(session, caller, disposal_id)
        items, acts = await actions.story_of(session, disposal=disposal)
        if await store.minutes_of(session, disposal.id) is not None:
            return disposal
    paper = minutes.paper_of(disposal, items, acts, wanted)
    pdf = await rendering.render(paper, desk.clock.now())
    intent = Intent(wanted.name, wanted.position, REASON, wanted.place)
    signed = await desk.signer.sign(pdf, intent, wanted.unlock())
    stored = await desk.content.put_whole(signed.pdf, CLASS)
    async with desk.database.transaction() as session:
        disposal = await _of_executor(session, caller, disposal_id)
        if await store.minutes_of(session, disposal.id) is None:
            record_id = await _declare(session, desk.clock, caller, disposal, stored)
            await signatures.take_up(
                session, desk.clock, record_id=record_id, agency=disposal.agency,
                signed=signed, stored=stored,
            )  # fmt: skip
    return disposal


async def _of_executor(session: AsyncSession, caller: Caller, disposal_id: UUID) -> Disposal:
    disposal = await actions.locked(session, caller, disposal_id)
    if disposal.executor != caller.subject:
        raise actions.NotYourPart("The minutes are the executor's.")
    due = machine.next_step(disposal.kind, disposal.state)
    if due is None or due.name != STEP:
        raise actions.StepOutOfOrder(f"Next is: {due.name if due else 'nothing, it is over'}.")
    return disposal


async def _declare(
    session: AsyncSession, clock: Clock, caller: Caller, disposal: Disposal, stored: Stored
) -> UUID:
    facts = {
        "title": f"{minutes.TITLES[disposal.kind].capitalize()} {disposal.id}",
        "classification": CODES[disposal.kind],
        "security_class": CLASS,
        "filename": f"{disposal.id}.pdf",
    }
    owner = replace(caller, agency=disposal.agency)
    record = await records.declare_issued(session, clock, caller=owner, facts=facts, stored=stored)
    session.add(DisposalMinutes(disposal_id=disposal.id, record_id=record.id, at=clock.now()))
    await session.flush()
    return record.id
