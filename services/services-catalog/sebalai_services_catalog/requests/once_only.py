"""Requirements that somebody else's evidence can meet, and a request answered with it.

Knows nothing of consents, holders and fetching: the slice `evidence` does.
"""

from dataclasses import dataclass
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.problems import Conflict
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.requests import store
from sebalai_services_catalog.requests.access import is_applicant
from sebalai_services_catalog.requests.awaiting import note_answered, open_codes
from sebalai_services_catalog.requests.filing import (
    DOCUMENTS_MAX,
    WRITABLE,
    DocumentRefused,
    check_writable,
    standard_of,
)
from sebalai_services_catalog.requests.model import ServiceRequest
from sebalai_services_catalog.requests.steps import Step, check_step, take_in_hand, take_step
from sebalai_services_catalog.requests.windows import opened

MEDIA_TYPE = "application/json"


class NothingToAsk(Conflict):
    slug, title = "evidence-nothing-to-ask", "This evidence cannot be asked for in this request"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A requirement with an evidence type; `is_open` while the caller may answer it now, and
    `is_due` while evidence does not answer it yet, or an officer asks for it anew.
    """

    code: str
    name: str
    evidence_type: str
    is_open: bool
    is_due: bool
    answered_by: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """Evidence to answer `codes` with: what was taken over, its hash, and where it came from."""

    codes: list[str]
    evidence_type: str
    holder: str
    consent: UUID
    message_id: UUID
    sha256: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Asking:
    """What an officer wants to see, from whom, why, and within how many of the holder's days."""

    evidence_type: str
    holder: str
    reason: str
    working_days: int


async def ask_evidence(
    session: AsyncSession,
    clock: Clock,
    *,
    caller: Caller,
    place: tuple[UUID, int],
    asking: Asking,
) -> ServiceRequest:
    """The file waits until the applicant lets the holder answer, or uploads the paper.

    Only what the service's standard asks for may be asked. `place`: request and revision read.

    Raises: RequestUnknown, RequestMovedOn, StepImpossible, StepRefused, NothingToAsk.
    """
    key, revision = place
    hand = await take_in_hand(session, clock, caller=caller, key=key, revision=revision)
    row, kind = hand.row, asking.evidence_type
    check_step(hand, "ask_evidence")
    requirements = (await standard_of(session, row)).requirements or []
    codes = [one.code for one in requirements if one.evidence_type == kind]
    if row.assisted or not codes:
        why = "It was filed at a counter; see the paper there." if row.assisted else "Not asked."
        raise NothingToAsk(why)
    about = {"evidence_type": kind, "holder": asking.holder, "codes": codes}
    term = opened(hand.known, asking.holder, "evidence_by", hand.at, asking.working_days)
    columns = term | {"asked": about}
    await take_step(session, hand, Step("ask_evidence", asking.reason, about, columns))
    return row


async def evidence_wanted(
    session: AsyncSession, *, caller: Caller, row: ServiceRequest
) -> list[Wanted]:
    """Every requirement that names an evidence type, in the standard's order."""
    standard = await standard_of(session, row)
    is_own = is_applicant(caller, row) and not row.assisted and row.state in WRITABLE
    are_open = open_codes(row)
    found: list[Wanted] = []
    for requirement in standard.requirements or []:
        code, kind = requirement.code, requirement.evidence_type
        if kind is not None:
            by = row.answers.get(code, {}).get("kind")
            is_open = is_own and (are_open is None or code in are_open)
            is_due = is_open and (by != "evidence" or are_open is not None)
            found.append(Wanted(code, requirement.name.id, kind, is_open, is_due, by))
    return found


async def answer_with_evidence(
    session: AsyncSession, clock: Clock, *, caller: Caller, key: UUID, found: Found
) -> ServiceRequest:
    """Keeps what was taken over as a document of each requirement, and answers them with it.

    Raises: RequestUnknown, StepRefused, AnswersLocked, FieldInvalid, DocumentRefused.
    """
    hand = await take_in_hand(session, clock, caller=caller, key=key, revision=None)
    row, at = hand.row, hand.at
    check_writable(hand, dict.fromkeys(found.codes))
    if await store.documents_count(session, row.id) + len(found.codes) > DOCUMENTS_MAX:
        raise DocumentRefused(f"A request holds at most {DOCUMENTS_MAX} documents.")
    about = {"sha256": found.sha256, "name": f"{found.evidence_type}.json"}
    answer = {
        "kind": "evidence", "evidence_type": found.evidence_type, "holder": found.holder,
        "consent": str(found.consent), "message_id": str(found.message_id), **about,
        "media_type": MEDIA_TYPE, "size": len(found.content), "at": at.isoformat(),
    }  # fmt: skip
    for code in found.codes:
        kept = {
            "request_id": row.id, "code": code, **about, "media_type": MEDIA_TYPE,
            "size": len(found.content), "content": found.content,
            "uploaded_by": str(caller.subject), "uploaded_at": at,
        }  # fmt: skip
        await store.keep_document(session, kept)
    row.answers = row.answers | dict.fromkeys(found.codes, answer)
    row.revision += 1
    await session.flush()
    await note_answered(session, hand, found.codes)
    return row
