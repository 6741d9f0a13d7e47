"""Decisions about disposals: propose, open, do the next step, witness, withdraw.

A step is done by the one person it belongs to, in its one order, with its evidence; everything a
destruction depends on is looked at again inside the transaction that destroys.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.ids import uuid7
from sebalai_shared.outbox import publish
from sebalai_shared.problems import Conflict, FieldInvalid, Forbidden, NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.disposals import events, listing, machine, store
from sebalai_archive.disposals.model import Disposal, DisposalAct, DisposalItem, Proposal
from sebalai_archive.disposals.schema import Decision, DisposalOpen, StepDo
from sebalai_archive.holds import actions as holds
from sebalai_archive.reader import enter_as_worker
from sebalai_archive.records import actions as records
from sebalai_archive.records.actions import ageing, ending
from sebalai_archive.retention import actions as retention

ACTS: dict[machine.Kind, frozenset[str]] = {
    "transfer": frozenset({"transfer"}),
    "destruction": frozenset({"destroy", "appraise"}),
    "handover": frozenset({"hand_over", "appraise"}),
}
FATES: dict[machine.Kind, str] = {"destruction": "musnah", "handover": "permanen"}
DONE: dict[machine.Kind, str] = {
    "transfer": "transfer",
    "destruction": "destroy",
    "handover": "hand_over",
}
WITNESSES = ("witness_legal", "witness_supervision")
ANRI_YEARS = 10


class DisposalUnknown(NotFound):
    slug, title = "disposal-unknown", "There is no such disposal, or it is not yours to see"


class StepOutOfOrder(Conflict):
    slug, title = "disposal-step-out-of-order", "Another step comes first"


class NotYourPart(Forbidden):
    slug, title = "disposal-not-your-part", "This step belongs to another person"


class DisposalBlocked(Conflict):
    slug, title = "disposal-blocked", "Records of the list may not meet this fate now"


class WitnessMissing(Conflict):
    slug, title = "disposal-witness-missing", "Both witnesses must be present first"


class PeopleNotDistinct(FieldInvalid):
    def __init__(self) -> None:
        super().__init__("/people", "Name six different people, you among them as the proposer.")


async def open_disposal(
    session: AsyncSession, clock: Clock, *, caller: Caller, wanted: DisposalOpen
) -> Disposal:
    """Raises `MayNotWrite`, `RecordUnknown`, `PeopleNotDistinct`, `DisposalBlocked`."""
    records.require_writer(caller)
    people = wanted.people.model_dump() | {"proposer": caller.subject or ""}
    if len(set(people.values())) != len(people):
        raise PeopleNotDistinct
    ids = sorted(set(wanted.records))
    for record_id in ids:
        found = await records.find_record(session, clock, caller=caller, record_id=record_id)
        if found.agency != caller.agency:
            raise records.RecordUnknown("Only your own agency's records are yours to dispose of.")
    judged = await _judge(session, ids, clock.now())
    _require_fit(wanted.kind, judged)
    taken = await store.in_open_disposal(session, ids)
    if taken:
        raise _blocked(dict.fromkeys(taken, "another disposal lists it"))
    made = Disposal(
        id=uuid7(),
        agency=caller.agency or "",
        kind=wanted.kind,
        state="proposed",
        created_at=clock.now(),
        **people,
    )
    session.add(made)
    await session.flush()
    session.add_all(_items(made.id, judged))
    await session.flush()
    return made


async def _judge(
    session: AsyncSession, ids: Sequence[UUID], now: datetime
) -> Sequence[ending.Judged]:
    """As the archive itself: who may see the records was asked before."""
    await enter_as_worker(session, now)
    held = await holds.held_among(session, records=ids)
    return await ending.judge(session, ids=ids, held=held, now=now)


def _require_fit(kind: machine.Kind, judged: Sequence[ending.Judged]) -> None:
    wrong: dict[UUID, str] = {}
    for one in judged:
        if one.obstacles:
            wrong[one.record.id] = one.obstacles[0]
        elif one.outcome.act not in ACTS[kind]:
            wrong[one.record.id] = f"what is next for it is: {one.outcome.act}"
    if wrong:
        raise _blocked(wrong)


def _blocked(wrong: dict[UUID, str]) -> DisposalBlocked:
    named = [{"record": str(key), "reason": why} for key, why in sorted(wrong.items())[:20]]
    return DisposalBlocked(f"{len(wrong)} records stand in the way.", records=named)


def _items(disposal_id: UUID, judged: Sequence[ending.Judged]) -> list[DisposalItem]:
    return [
        DisposalItem(
            disposal_id=disposal_id,
            position=position,
            record_id=one.record.id,
            line=_line(one),
            total_years=one.total_years,
            is_open=True,
        )
        for position, one in enumerate(judged, start=1)
    ]


def _line(one: ending.Judged) -> str:
    record = one.record
    return listing.line_of(
        {
            "record": str(record.id),
            "number": record.number,
            "classification": record.classification_code,
            "dated": record.dated.isoformat() if record.dated else None,
            "development_level": record.development_level,
            "total_years": one.total_years,
            "content_sha256": record.content_sha256,
            "commitment": record.commitment,
        }
    )


async def find_disposal(session: AsyncSession, *, caller: Caller, disposal_id: UUID) -> Disposal:
    """Raises `DisposalUnknown`."""
    found = await store.find(session, caller, disposal_id)
    if found is None:
        raise DisposalUnknown("Open one by POST /v1/disposals.")
    return found


async def locked(session: AsyncSession, caller: Caller, disposal_id: UUID) -> Disposal:
    """Held until the transaction ends. Raises `DisposalUnknown`."""
    found = await store.lock(session, caller, disposal_id)
    if found is None:
        raise DisposalUnknown("Open one by POST /v1/disposals.")
    return found


async def do_step(
    session: AsyncSession,
    clock: Clock,
    *,
    caller: Caller,
    disposal_id: UUID,
    step: tuple[str, StepDo],
) -> Disposal:
    """Raises `DisposalUnknown`, `StepOutOfOrder`, `NotYourPart`, `FieldInvalid`,
    `WitnessMissing`, `DisposalBlocked`.
    """
    name, wanted = step
    disposal = await locked(session, caller, disposal_id)
    due = machine.next_step(disposal.kind, disposal.state)
    if due is None or due.name != name:
        raise StepOutOfOrder(f"Next is: {due.name if due else 'nothing, it is over'}.")
    if getattr(disposal, due.part) != caller.subject:
        raise NotYourPart(f"It is the {due.part}'s.")
    await _require_evidence(session, clock, caller, disposal, due, wanted)
    now = clock.now()
    if name == "appraise":
        await _freeze(session, disposal, wanted.decisions, now)
    elif name == "approve" and wanted.authority != disposal.authority:
        raise FieldInvalid("/authority", f"By the total years it must be {disposal.authority}.")
    elif name == "execute":
        await _execute(session, disposal, now)
    disposal.state = due.after
    _note(session, disposal, (name, caller.subject or ""), wanted, now)
    await session.flush()
    await _tell(session, disposal, name, now)
    if machine.next_step(disposal.kind, disposal.state) is None:
        await store.close_items(session, disposal.id)
    return disposal


def _note(
    session: AsyncSession,
    disposal: Disposal,
    act: tuple[str, str],
    wanted: StepDo,
    now: datetime,
) -> None:
    evidence = {slot: str(record_id) for slot, record_id in wanted.evidence.items()}
    name, by = act
    session.add(DisposalAct(disposal_id=disposal.id, step=name, by=by, at=now, evidence=evidence))


async def _tell(session: AsyncSession, disposal: Disposal, name: str, now: datetime) -> None:
    fact = events.DisposalStepped(
        disposal_id=disposal.id,
        agency=disposal.agency,
        kind=disposal.kind,
        step=name,
        state=disposal.state,
        list_root=disposal.list_root,
    )
    await publish(session, events.stepped(fact, now))


async def _require_evidence(
    session: AsyncSession,
    clock: Clock,
    caller: Caller,
    disposal: Disposal,
    due: machine.Step,
    wanted: StepDo,
) -> None:
    missing = sorted(due.slots - wanted.evidence.keys())
    strange = sorted(wanted.evidence.keys() - due.slots)
    if missing or strange:
        told = f"It takes {', '.join(sorted(due.slots)) or 'none'}."
        raise FieldInvalid(f"/evidence/{(missing or strange)[0]}", told)
    listed = {one.record_id for one in await store.items(session, disposal.id)}
    issued = await store.minutes_of(session, disposal.id)
    if due.name == "minute" and issued is not None and wanted.evidence["berita_acara"] != issued:
        raise FieldInvalid("/evidence/berita_acara", f"The minutes were issued as {issued}.")
    for slot, record_id in wanted.evidence.items():
        shown = await records.find_record(session, clock, caller=caller, record_id=record_id)
        if shown.state != "declared" or record_id in listed:
            raise FieldInvalid(
                f"/evidence/{slot}", "Name a declared record that is not itself on the list."
            )


async def _freeze(
    session: AsyncSession, disposal: Disposal, decisions: Sequence[Decision], now: datetime
) -> None:
    """The panel's word on each record that has to be weighed; what it spares leaves the list."""
    listed = await store.items(session, disposal.id)
    judged = await _judge(session, [one.record_id for one in listed], now)
    _require_fit(disposal.kind, judged)
    decided = {one.record: one.fate for one in decisions}
    to_weigh = {one.record.id for one in judged if one.outcome.act == "appraise"}
    if decided.keys() != to_weigh:
        raise FieldInvalid("/decisions", f"Decide on exactly {len(to_weigh)} records, each once.")
    for one in judged:
        if one.record.id in to_weigh:
            fate = decided[one.record.id]
            await ageing.weigh(session, record=one.record, now=now, fate=fate, by=disposal.reviewer)
    kept = [
        one
        for one in judged
        if one.record.id not in to_weigh or decided[one.record.id] == FATES.get(disposal.kind)
    ]
    if not kept:
        raise FieldInvalid("/decisions", "Nothing is left on the list; withdraw it instead.")
    for item in listed:
        await session.delete(item)
    await session.flush()
    items = _items(disposal.id, kept)
    session.add_all(items)
    await session.flush()
    disposal.list_root = listing.root_of([one.line for one in items])
    disposal.authority = _authority(disposal.kind, items)


def _authority(kind: machine.Kind, items: Sequence[DisposalItem]) -> str | None:
    if kind == "transfer":
        return None
    if kind == "handover":
        return "archive_head"
    longest = max(one.total_years for one in items)
    return "anri_head" if longest >= ANRI_YEARS else "governor"


async def _execute(session: AsyncSession, disposal: Disposal, now: datetime) -> None:
    """Everything again, under lock: list, root, rule, hold, loan; then and only then it is done."""
    present = {one.step for one in await store.acts(session, disposal.id)}
    if not present.issuperset(WITNESSES):
        raise WitnessMissing("POST to …/witnesses, each witness itself.")
    items = await store.items(session, disposal.id)
    judged = await _judge(session, [one.record_id for one in items], now)
    wrong = {
        one.record.id: (one.obstacles or (f"what is next for it is: {one.outcome.act}",))[0]
        for one in judged
        if one.obstacles or one.outcome.act != DONE[disposal.kind]
    }
    lines = {one.record.id: _line(one) for one in judged}
    wrong |= {
        one.record_id: "it differs from the frozen list"
        for one in items
        if lines.get(one.record_id) != one.line
    }
    if wrong:
        raise _blocked(wrong)
    if listing.root_of([one.line for one in items]) != disposal.list_root:
        raise DisposalBlocked("The list differs from its frozen root.")
    for one in judged:
        if disposal.kind == "destruction":
            await ending.bury(session, record=one.record, disposal_id=disposal.id, now=now)
        else:
            place = _place(disposal.kind, one.total_years)
            await ending.move(
                session, record=one.record, place=place, disposal_id=disposal.id, now=now
            )
    disposal.executed_at = now


def _place(kind: machine.Kind, total_years: int) -> str:
    if kind == "handover":
        return "archive_institution"
    return "province_centre" if total_years >= ANRI_YEARS else "agency_centre"


async def witness(
    session: AsyncSession, clock: Clock, *, caller: Caller, disposal_id: UUID
) -> Disposal:
    """Each witness says for itself that it is present, after the decree and before the execution.

    Raises `DisposalUnknown`, `NotYourPart`, `StepOutOfOrder`.
    """
    disposal = await locked(session, caller, disposal_id)
    part = next((one for one in WITNESSES if getattr(disposal, one) == caller.subject), None)
    if part is None:
        raise NotYourPart("You are not named as a witness.")
    due = machine.next_step(disposal.kind, disposal.state)
    if due is None or due.name != "execute":
        raise StepOutOfOrder(f"Next is: {due.name if due else 'nothing, it is over'}.")
    present = {one.step for one in await store.acts(session, disposal.id)}
    if part not in present:
        now = clock.now()
        _note(session, disposal, (part, caller.subject or ""), StepDo(), now)
        await _tell(session, disposal, part, now)
        await session.flush()
    return disposal


async def withdraw(
    session: AsyncSession, clock: Clock, *, caller: Caller, disposal_id: UUID, reason: str
) -> Disposal:
    """By the proposer, until it is executed. Raises `DisposalUnknown`, `NotYourPart`,
    `StepOutOfOrder`.
    """
    disposal = await locked(session, caller, disposal_id)
    if disposal.proposer != caller.subject:
        raise NotYourPart("It is the proposer's.")
    if not machine.may_withdraw(disposal.kind, disposal.state):
        raise StepOutOfOrder("What is executed cannot be withdrawn.")
    disposal.state, disposal.withdrawn_reason = "withdrawn", reason
    await session.flush()
    await store.close_items(session, disposal.id)
    await _tell(session, disposal, "withdraw", clock.now())
    return disposal


async def propose_some(
    session: AsyncSession, *, now: datetime, today_after: UUID | None, limit: int
) -> tuple[int, UUID | None]:
    """One bounded pass of the daily job: it proposes and never acts. Answers how many it proposed
    and the last record it looked at, None at the end.
    """
    await enter_as_worker(session, now)
    ids = await store.candidates(session, retention.civil_date(now), today_after, limit)
    proposed = 0
    for one in await _judge(session, ids, now):
        if one.obstacles or one.outcome.act == "none":
            continue
        await session.merge(
            Proposal(
                record_id=one.record.id,
                agency=one.record.agency,
                act=one.outcome.act,
                approver=one.outcome.approver,
                reasons=list(one.outcome.reasons),
                proposed_at=now,
            )
        )
        proposed += 1
    await session.flush()
    return proposed, ids[-1] if len(ids) == limit else None


async def list_proposals(
    session: AsyncSession, *, caller: Caller, act: str | None, after: UUID | None, limit: int
) -> Sequence[Proposal]:
    return await store.proposals(session, caller, act, after, limit)


async def minutes_of(session: AsyncSession, *, disposal: Disposal) -> UUID | None:
    """The record of its issued minutes."""
    return await store.minutes_of(session, disposal.id)


async def story_of(
    session: AsyncSession, *, disposal: Disposal
) -> tuple[Sequence[DisposalItem], Sequence[DisposalAct]]:
    """Its list and its acts."""
    return await store.items(session, disposal.id), await store.acts(session, disposal.id)
