"""Decisions about consents: give, use, decline, withdraw. Fetching is `fetching`."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.ids import uuid7
from sebalai_shared.outbox import publish
from sebalai_shared.problems import Conflict, Forbidden, NotFound
from sebalai_shared.reference import ReferenceFolder
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.evidence import store
from sebalai_services_catalog.evidence.access import is_giver
from sebalai_services_catalog.evidence.events import ConsentMoved, fact
from sebalai_services_catalog.evidence.machine import OPEN, Act, NoSuchStep, after
from sebalai_services_catalog.evidence.model import Consent, ConsentAct, EvidenceType
from sebalai_services_catalog.evidence.schema import (
    POLICY,
    AskWrite,
    ConsentWhole,
    EvidenceRead,
    WantedRead,
)
from sebalai_services_catalog.requests.actions import (
    Asking,
    Found,
    Wanted,
    answer_with_evidence,
    ask_evidence,
    evidence_wanted,
    find_request,
)

__all__ = ["EvidenceType"]

LIST = "evidence_types"
VALID_DAYS = 30
"""As long as a draft is kept."""
ENDS_ROWS = 200
PLATFORM = "platform"


class ConsentUnknown(NotFound):
    slug, title = "consent-unknown", "There is no such consent, or it is not yours to see"


class ConsentMissing(Forbidden):
    slug, title = "consent-missing", "There is no consent of this person for this request"


class ConsentImpossible(Conflict):
    slug, title = "consent-step-impossible", "The consent's state does not allow this"


class ConsentRefused(Forbidden):
    slug, title = "consent-refused", "Only the applicant consents, and only for themselves"


class ConsentOpen(Conflict):
    slug, title = "consent-open", "There is an open consent for this evidence already"


class EvidenceNotOffered(Conflict):
    slug, title = "evidence-not-offered", "This evidence cannot be fetched here; upload it"


async def list_types(session: AsyncSession) -> Sequence[EvidenceType]:
    return await store.types(session)


async def load_types(session: AsyncSession, *, folder: ReferenceFolder) -> int:
    rows = folder.rows(LIST)
    values: list[dict[str, Any]] = []
    for place, row in enumerate(rows, 1):
        mark = folder.provenance(LIST, row["code"])
        plain: dict[str, Any] = {name: value or None for name, value in row.items()}
        plain |= {"fields": row["fields"].split(), "position": place}
        plain |= {"provenance_status": mark.status, "provenance_source": mark.source}
        values.append(plain)
    await store.keep_types(session, values)
    return len(rows)


async def read_evidence(session: AsyncSession, *, caller: Caller, key: UUID) -> EvidenceRead:
    """What the request asks for that somebody else may hold. Raises: RequestUnknown."""
    row, _ = await find_request(session, caller=caller, key=key)
    kinds = {kind.code: kind for kind in await store.types(session)}
    consents = {one.evidence_type: one for one in reversed(await store.of_request(session, key))}
    found = [
        _wanted(one, kinds.get(one.evidence_type), consents.get(one.evidence_type))
        for one in await evidence_wanted(session, caller=caller, row=row)
    ]
    return EvidenceRead(
        request_id=key, agency=row.agency, policy=POLICY, valid_days=VALID_DAYS, requirements=found,
        asked=row.asked["evidence_type"] if row.asked else None, asked_until=row.evidence_by,
    )  # fmt: skip


def _wanted(one: Wanted, kind: EvidenceType | None, consent: Consent | None) -> WantedRead:
    return WantedRead(
        code=one.code,
        name=one.name,
        evidence_type=one.evidence_type,
        holder=kind.holder if kind else None,
        fetch=one.is_due and kind is not None and kind.interface is not None,
        upload=one.is_open,
        answered_by=one.answered_by,
        consent=consent.id if consent else None,
        consent_state=consent.state if consent else None,
    )


async def ask_for(
    session: AsyncSession,
    clock: Clock,
    *,
    caller: Caller,
    place: tuple[UUID, str],
    wanted: AskWrite,
) -> EvidenceRead:
    """An officer of a filed request wants to see what an agency holds; consent stays the person's.

    Raises: EvidenceNotOffered, and as `ask_evidence`.
    """
    key, code = place
    kind = await store.find_type(session, code)
    if kind is None or kind.interface is None:
        raise EvidenceNotOffered("Return the file and mark it: its holder is not on the bus.")
    asking = Asking(code, kind.holder, wanted.reason, wanted.working_days)
    at = (key, wanted.revision)
    await ask_evidence(session, clock, caller=caller, place=at, asking=asking)
    return await read_evidence(session, caller=caller, key=key)


async def give_consent(
    session: AsyncSession, clock: Clock, *, caller: Caller, place: tuple[UUID, str]
) -> Consent:
    """One for every open requirement that this evidence meets, so that it is fetched once.

    `place`: request and evidence type.

    Raises: RequestUnknown, ConsentRefused, EvidenceNotOffered, ConsentOpen.
    """
    key, kind = place
    row, _ = await find_request(session, caller=caller, key=key)
    if row.assisted or caller.subject != row.applicant:
        raise ConsentRefused("At a counter, show or upload the paper instead.")
    wanted = await evidence_wanted(session, caller=caller, row=row)
    codes = [one.code for one in wanted if one.evidence_type == kind and one.is_due]
    found = await store.find_type(session, kind)
    if not codes or found is None or found.interface is None:
        raise EvidenceNotOffered("Look at what the request's evidence list offers.")
    now = clock.now()
    consent = await store.claim(
        session,
        {
            "id": uuid7(), "request_id": row.id, "service": row.service, "agency": row.agency,
            "evidence_type": kind, "codes": codes, "holder": found.holder,
            "interface": found.interface, "purpose": found.purpose, "policy": POLICY,
            "state": "given", "given_by": str(caller.subject), "given_at": now,
            "valid_until": now + timedelta(days=VALID_DAYS), "fetches": 0, "was_used": False,
        },
    )  # fmt: skip
    if consent is None:
        raise ConsentOpen("Preview with it, or withdraw it.")
    await record(session, consent, ("give", "none"), str(caller.subject), now)
    return consent


async def held_consent(
    session: AsyncSession, clock: Clock, *, caller: Caller, about: tuple[UUID, str, UUID]
) -> Consent:
    """`about`: request, evidence type, consent; locked. All three must belong together.

    Raises: RequestUnknown, ConsentMissing.
    """
    await find_request(session, caller=caller, key=about[0])
    row = await store.hold(session, caller, about[2])
    if row is None or not is_giver(caller, row) or (row.request_id, row.evidence_type) != about[:2]:
        raise ConsentMissing("Consent to this evidence in this request first.")
    if row.state not in OPEN or row.valid_until <= clock.now():
        raise ConsentMissing(f"The consent is {row.state if row.state not in OPEN else 'over'}.")
    return row


async def check_wanted(session: AsyncSession, *, caller: Caller, consent: Consent) -> None:
    """The request is still written by who filed it and asks for this evidence: otherwise nothing
    may be fetched, whatever was agreed to. Raises: RequestUnknown, EvidenceNotOffered.
    """
    row, _ = await find_request(session, caller=caller, key=consent.request_id)
    wanted = await evidence_wanted(session, caller=caller, row=row)
    if not any(one.evidence_type == consent.evidence_type and one.is_open for one in wanted):
        raise EvidenceNotOffered(f"The request is {row.state} and does not ask for it now.")


async def use_evidence(
    session: AsyncSession, clock: Clock, *, caller: Caller, about: tuple[UUID, str, UUID]
) -> Consent:
    """What was previewed answers the request. Raises: as `held_consent`; ConsentImpossible,
    StepRefused, AnswersLocked, FieldInvalid, DocumentRefused.
    """
    consent = await held_consent(session, clock, caller=caller, about=about)
    now = clock.now()
    if not has_preview(consent, now):
        raise ConsentImpossible("Preview it first; a preview lasts half an hour.")
    assert consent.sha256 is not None and consent.message_id is not None  # noqa: S101, PT018 - a preview has both
    content = orjson.dumps(consent.preview, option=orjson.OPT_SORT_KEYS)
    found = Found(
        consent.codes, consent.evidence_type, consent.holder, consent.id, consent.message_id,
        consent.sha256, content,
    )  # fmt: skip
    await answer_with_evidence(session, clock, caller=caller, key=consent.request_id, found=found)
    consent.was_used = True
    await move(session, consent, "accept", str(caller.subject), now)
    return consent


async def decline_evidence(
    session: AsyncSession, clock: Clock, *, caller: Caller, about: tuple[UUID, str, UUID]
) -> Consent:
    """The person saw it and does not want it used. Raises: as `held_consent`; ConsentImpossible."""
    consent = await held_consent(session, clock, caller=caller, about=about)
    await move(session, consent, "decline", str(caller.subject), clock.now())
    return consent


async def withdraw_consent(
    session: AsyncSession, clock: Clock, *, caller: Caller, key: UUID
) -> ConsentWhole:
    """Ends what is to come and tells what was used already. Again changes nothing.

    Raises: ConsentUnknown, ConsentRefused, ConsentImpossible.
    """
    consent = await store.hold(session, caller, key)
    if consent is None:
        raise ConsentUnknown("Look at GET /v1/consents.")
    if not is_giver(caller, consent):
        raise ConsentRefused("Only who gave it withdraws it.")
    if consent.state != "withdrawn":
        await move(session, consent, "withdraw", str(caller.subject), clock.now())
    return await read_consent(session, caller=caller, key=key)


async def list_consents(
    session: AsyncSession, *, caller: Caller, after: UUID | None, limit: int
) -> Sequence[Consent]:
    return await store.page(session, caller, after, limit)


async def count_consents(session: AsyncSession, *, period: tuple[datetime, datetime]) -> int:
    """Consents given in the period, withdrawn ones too."""
    return await store.count_given(session, *period)


async def read_consent(session: AsyncSession, *, caller: Caller, key: UUID) -> ConsentWhole:
    """Raises: ConsentUnknown."""
    row = await store.find(session, caller, key)
    if row is None:
        raise ConsentUnknown("Look at GET /v1/consents.")
    return ConsentWhole.of(row, list(await store.acts(session, key)))


async def end_consents(session: AsyncSession, clock: Clock) -> int:
    """Open consents whose time is over end; a preview nobody took is forgotten."""
    now = clock.now()
    rows = await store.past_end(session, now, ENDS_ROWS)
    for row in rows:
        if row.valid_until <= now:
            await move(session, row, "expire", PLATFORM, now)
        else:
            row.preview, row.preview_until = None, None
    await session.flush()
    return len(rows)


def has_preview(consent: Consent, now: datetime) -> bool:
    until = consent.preview_until
    return consent.preview is not None and until is not None and now < until


async def move(session: AsyncSession, consent: Consent, act: Act, actor: str, at: datetime) -> None:
    """Any other than a fetch. Raises: ConsentImpossible."""
    before = consent.state
    try:
        consent.state = after(before, act)
    except NoSuchStep as error:
        raise ConsentImpossible(f"{error}.", state=before) from error
    consent.preview, consent.preview_until = None, None
    if consent.state not in OPEN:
        consent.ended_at = at
    await record(session, consent, (act, before), actor, at)


async def record(
    session: AsyncSession,
    consent: Consent,
    step: tuple[Act, str],
    actor: str,
    at: datetime,
    call: tuple[str | None, UUID | None] = (None, None),
) -> None:
    """`step`: the act and the state before; `call`: outcome and number of a call on the bus."""
    act, before = step
    outcome, message_id = call
    session.add(
        ConsentAct(
            id=uuid7(), consent_id=consent.id, act=act, state_before=before,
            state_after=consent.state, actor=actor, at=at, outcome=outcome, message_id=message_id,
        )
    )  # fmt: skip
    await session.flush()
    moved = ConsentMoved(
        consent_id=consent.id, request_id=consent.request_id, service=consent.service,
        agency=consent.agency, evidence_type=consent.evidence_type, holder=consent.holder,
        state=consent.state, outcome=outcome, message_id=message_id,
    )  # fmt: skip
    await publish(session, fact(act, moved, at))
