"""Filing: fill in a draft, attach documents, and what must be there to submit it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sebalai_shared.caller import Caller
from sebalai_shared.problems import Conflict, FieldInvalid, Problem
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.requests import store
from sebalai_services_catalog.requests.access import WRITE, is_applicant
from sebalai_services_catalog.requests.awaiting import note_answered, open_codes
from sebalai_services_catalog.requests.machine import CLOSED
from sebalai_services_catalog.requests.model import RequestDocument, ServiceRequest
from sebalai_services_catalog.requests.schema import AnswerWrite
from sebalai_services_catalog.requests.steps import (
    Hand,
    Step,
    StepRefused,
    moved_by,
    take_step,
)
from sebalai_services_catalog.services.actions import Standard, find_version

DOCUMENT_BYTES_LIMIT = 5 * 1024 * 1024
DOCUMENTS_MAX = 60
MEDIA_TYPES = frozenset({"application/pdf", "image/jpeg", "image/png"})
MAGIC = {"application/pdf": b"%PDF-", "image/jpeg": b"\xff\xd8\xff", "image/png": b"\x89PNG\r\n"}
WRITABLE = ("draft", "returned", "awaiting_evidence")


class AnswersLocked(Conflict):
    slug, title = "request-answers-locked", "The answers cannot be changed now"


class RequestIncomplete(Problem):
    status, slug, title = (
        422,
        "request-incomplete",
        "Something that the service asks for is missing",
    )


class DocumentRefused(Problem):
    status, slug, title = 422, "document-refused", "The document cannot be taken"


class DocumentTooLarge(Problem):
    status, slug, title = 413, "document-too-large", "The document is too large"


@dataclass(frozen=True, slots=True)
class Upload:
    code: str
    name: str
    media_type: str
    content: bytes


async def standard_of(session: AsyncSession, row: ServiceRequest) -> Standard:
    """The standard the request was filed under, however often the service changed since."""
    _, version = await find_version(session, slug=row.service, version=row.service_version)
    return Standard.model_validate(version.standard)


async def submit(session: AsyncSession, hand: Hand, standard: Standard) -> None:
    """Raises: RequestIncomplete naming each requirement, StepImpossible, StepRefused."""
    check_complete(standard, hand.row)
    await take_step(session, hand, submission(hand))


async def discard(session: AsyncSession, hand: Hand) -> None:
    """A draft that is given up. Raises: StepImpossible, StepRefused."""
    await take_step(session, hand, Step("discard", columns={"reply_by": None}))
    await erase(session, hand.row)


async def erase(session: AsyncSession, row: ServiceRequest) -> None:
    """What somebody wrote and never filed does not stay (UU 27/2022 art. 43): only that it was."""
    row.answers, row.assisted_name = {}, None
    await store.forget_documents(session, row.id)


def submission(hand: Hand) -> Step:
    columns = {"submitted_at": hand.at, "reply_by": None, "reminders": 0}
    return Step("submit", columns=columns)


def check_complete(standard: Standard, row: ServiceRequest) -> None:
    """Raises: RequestIncomplete naming each requirement that is not answered."""
    missing = _missing(standard, row)
    if missing and row.state == "draft":
        raise RequestIncomplete("Add what errors names.", errors=missing)


async def resubmit(session: AsyncSession, hand: Hand) -> None:
    """Each marked field must have been answered anew. Raises: RequestIncomplete."""
    row = hand.row
    still = [
        {"pointer": f"/answers/{mark['code']}", "detail": mark["reason"]}
        for mark in row.marks
        if row.answers.get(mark["code"], {}).get("at", "") <= _returned_at(row)
    ]
    if still and row.state == "returned":
        raise RequestIncomplete("Correct what errors names; the officer marked it.", errors=still)
    columns = {"marks": [], "reason": None, "reply_by": None, "reminders": 0}
    await take_step(session, hand, Step("resubmit", columns=columns))


async def write_answers(
    session: AsyncSession, hand: Hand, answers: Mapping[str, AnswerWrite | None]
) -> None:
    """Sets or takes back answers while the applicant holds the file; when returned, marked ones.

    Raises: StepRefused, AnswersLocked, FieldInvalid.
    """
    row = hand.row
    check_writable(hand, answers)
    if row.asked is not None:
        raise AnswersLocked("Upload it, or let its holder answer.", **moved_by(row))
    standard = await standard_of(session, row)
    row.answers = answered(standard, row.answers, answers, hand.caller, hand.at)
    row.revision += 1
    await session.flush()


async def attach_document(session: AsyncSession, hand: Hand, upload: Upload) -> None:
    """Keeps the bytes and answers the requirement with them; a replaced document is kept too.

    Raises: StepRefused, AnswersLocked, FieldInvalid, DocumentRefused.
    """
    row = hand.row
    check_writable(hand, {upload.code: None})
    standard = await standard_of(session, row)
    _check_code(standard, upload.code)
    if upload.media_type not in MEDIA_TYPES or not upload.content.startswith(
        MAGIC[upload.media_type]
    ):
        raise DocumentRefused(f"Send one of {', '.join(sorted(MEDIA_TYPES))}, and say which.")
    if await store.documents_count(session, row.id) >= DOCUMENTS_MAX:
        raise DocumentRefused(f"A request holds at most {DOCUMENTS_MAX} documents.")
    sha256 = hashlib.sha256(upload.content).hexdigest()
    about = {"sha256": sha256, "name": upload.name, "media_type": upload.media_type}
    size = len(upload.content)
    await store.keep_document(
        session,
        {
            "request_id": row.id, "code": upload.code, **about, "size": size,
            "content": upload.content, "uploaded_by": str(hand.caller.subject),
            "uploaded_at": hand.at,
        },
    )  # fmt: skip
    answer = {"kind": "document", **about, "size": size, "at": hand.at.isoformat()}
    row.answers = {**row.answers, upload.code: answer}
    row.revision += 1
    await session.flush()
    await note_answered(session, hand, [upload.code])


async def read_document(
    session: AsyncSession, *, row: ServiceRequest, code: str, sha256: str
) -> RequestDocument:
    found = await store.document(session, row.id, code, sha256)
    if found is None:
        raise FieldInvalid("/code", "No such document is in this request.")
    return found


def check_writable(hand: Hand, answers: Mapping[str, object]) -> None:
    """Raises: StepRefused, AnswersLocked, FieldInvalid for what the officer did not ask for."""
    row = hand.row
    if not is_applicant(hand.caller, row):
        raise StepRefused("Only the applicant changes the answers.")
    if row.state not in WRITABLE:
        raise AnswersLocked(f"The request is {row.state}.", **moved_by(row))
    are_open = open_codes(row)
    for code in answers:
        if are_open is not None and code not in are_open:
            raise FieldInvalid(f"/answers/{code}", "Only what the officer asked for is open.")


def answered(
    standard: Standard,
    before: Mapping[str, Any],
    given: Mapping[str, AnswerWrite | None],
    caller: Caller,
    at: datetime | None = None,
) -> dict[str, Any]:
    answers = dict(before)
    for code, answer in given.items():
        _check_code(standard, code)
        if answer is None:
            answers.pop(code, None)
        else:
            answers[code] = _answer(code, answer, caller, at)
    return answers


def _answer(code: str, answer: AnswerWrite, caller: Caller, at: datetime | None) -> dict[str, Any]:
    stamp = {"at": at.isoformat()} if at else {}
    if answer.shown:
        if not caller.has_scope(WRITE):
            raise FieldInvalid(f"/answers/{code}", "Only a counter officer sees an original.")
        return {"kind": "shown", **stamp}
    if answer.value is None:
        raise FieldInvalid(f"/answers/{code}", "Give a value.")
    return {"kind": "value", "value": answer.value, **stamp}


def _check_code(standard: Standard, code: str) -> None:
    if code not in {requirement.code for requirement in standard.requirements or []}:
        raise FieldInvalid(f"/answers/{code}", "The service asks for no such thing.")


def _missing(standard: Standard, row: ServiceRequest) -> list[dict[str, str]]:
    """Mandatory requirements without an answer; a condition or a visit is for the officer."""
    return [
        {"pointer": f"/answers/{requirement.code}", "detail": requirement.name.id}
        for requirement in standard.requirements or []
        if requirement.mandatory
        and requirement.condition is None
        and requirement.kind in ("document", "data")
        and (not requirement.channels or row.channel in requirement.channels)
        and requirement.code not in row.answers
    ]


def _returned_at(row: ServiceRequest) -> str:
    assert row.last_at is not None  # noqa: S101 - a returned request was moved
    return row.last_at.isoformat() if row.last_act == "return" else ""


def holder_of(row: ServiceRequest) -> Literal["applicant", "agency", "nobody"]:
    """Who has the file in hand."""
    if row.state in ("draft", "returned", "awaiting_payment"):
        return "applicant"
    return "nobody" if row.state in CLOSED else "agency"
