"""HTTP of outgoing letters: `/v1/outgoing-letters`, and the public `/v1/verifications/{code}`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from sebalai_shared.caller import IdentifiedAccess, PublicAccess
from sebalai_shared.database import Transaction, row_dict
from sebalai_shared.idempotency import Idempotent, KeyReused
from sebalai_shared.pagination import BadCursor, Page, page
from sebalai_shared.problems import FieldInvalid, responses

from sebalai_archive.numbering.actions import TemplateMissing
from sebalai_archive.outgoing import actions, issuing
from sebalai_archive.outgoing.actions import LetterElsewhere, LetterUnknown, NotYourAct
from sebalai_archive.outgoing.issuing import VERIFICATIONS, Desk, position_of
from sebalai_archive.outgoing.model import OutgoingAct, OutgoingLetter
from sebalai_archive.outgoing.schema import (
    Addressee,
    LetterActRead,
    LetterDraft,
    LetterRead,
    Note,
    SignatureWanted,
    SignedFileRead,
    SignerWanted,
    VerificationRead,
)
from sebalai_archive.outgoing.states import State
from sebalai_archive.records.actions import opening
from sebalai_archive.registers import RegisterPage
from sebalai_archive.signing.report_read import ReportRead, read_report
from sebalai_archive.signing.reporter import FileUnavailable, Reporter, ReportsBusy
from sebalai_archive.signing.signer import (
    CertificateEnded,
    PassphraseWrong,
    SignerLocked,
    SignerUnknown,
    SigningUnavailable,
)

router = APIRouter(prefix="/v1", tags=["outgoing letters"])

STEP = responses(LetterUnknown, NotYourAct, LetterElsewhere)
Code = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{20}$")]


def _read(
    request: Request, letter: OutgoingLetter, acts: list[LetterActRead] | None = None
) -> LetterRead:
    code, public_url = letter.verification_code, request.app.state.settings.public_url
    return LetterRead(
        id=letter.id,
        agency=letter.agency,
        letter_type=letter.letter_type,
        classification=letter.classification_code,
        security_class=letter.security_class,
        urgency=letter.urgency,  # pyright: ignore[reportArgumentType] - checked by the database
        subject=letter.subject,
        unit=letter.unit,
        place=letter.place,
        copies=letter.copies,
        addressees=[Addressee.model_validate(one) for one in letter.addressees],
        verifiers=letter.verifiers,
        verified=letter.verified,
        signer=SignerWanted.model_validate(letter.signer),
        drafter=letter.drafter,
        state=letter.state,
        number=letter.number_text,
        letter_date=letter.letter_date,
        record_id=letter.record_id,
        verification=public_url + VERIFICATIONS + code if code else None,
        paragraphs=letter.paragraphs if acts is not None else None,
        acts=acts,
    )


def _act(row: OutgoingAct) -> LetterActRead:
    return LetterActRead(act=row.act, actor=row.actor, note=row.note, at=row.at)


@router.post(
    "/outgoing-letters",
    status_code=201,
    responses=responses(NotYourAct, FieldInvalid, KeyReused),
)
async def draft_letter(
    request: Request,
    caller: IdentifiedAccess,
    session: Transaction,
    once: Idempotent,
    wanted: LetterDraft,
) -> LetterRead:
    async def make() -> LetterRead:
        clock = request.app.state.clock
        letter = await actions.draft_letter(session, clock, caller=caller, wanted=wanted)
        return _read(request, letter)

    return await once.answer(session, LetterRead, make)


@router.get("/outgoing-letters", responses=responses(BadCursor))
async def list_letters(
    request: Request,
    caller: IdentifiedAccess,
    session: Transaction,
    ask: RegisterPage,
    state: Annotated[State | None, Query()] = None,
) -> Page[LetterRead]:
    clock = request.app.state.clock
    rows = await actions.list_letters(session, clock, caller=caller, state=state, page=ask)
    return page(rows, ask.limit, lambda row: _read(request, row), lambda row: [row.id])


@router.get("/outgoing-letters/{letter_id}", responses=responses(LetterUnknown))
async def read_letter(
    request: Request, letter_id: UUID, caller: IdentifiedAccess, session: Transaction
) -> LetterRead:
    """With its text, which the verifiers and the signer must read, and all that was done to it."""
    clock = request.app.state.clock
    letter, acts = await actions.find_letter(session, clock, caller=caller, letter_id=letter_id)
    return _read(request, letter, [_act(row) for row in acts])


@router.put(
    "/outgoing-letters/{letter_id}",
    responses=responses(LetterUnknown, NotYourAct, LetterElsewhere, FieldInvalid),
)
async def change_letter(
    request: Request,
    letter_id: UUID,
    caller: IdentifiedAccess,
    session: Transaction,
    wanted: LetterDraft,
) -> LetterRead:
    clock = request.app.state.clock
    letter = await actions.change_letter(
        session, clock, caller=caller, letter_id=letter_id, wanted=wanted
    )
    return _read(request, letter)


@router.post("/outgoing-letters/{letter_id}/submission", responses=STEP)
async def submit_letter(
    request: Request, letter_id: UUID, caller: IdentifiedAccess, session: Transaction
) -> LetterRead:
    clock = request.app.state.clock
    letter = await actions.submit_letter(session, clock, caller=caller, letter_id=letter_id)
    return _read(request, letter)


@router.post("/outgoing-letters/{letter_id}/paraf", responses=STEP)
async def verify_letter(
    request: Request, letter_id: UUID, caller: IdentifiedAccess, session: Transaction
) -> LetterRead:
    clock = request.app.state.clock
    letter = await actions.verify_letter(session, clock, caller=caller, letter_id=letter_id)
    return _read(request, letter)


@router.post("/outgoing-letters/{letter_id}/return", responses=STEP)
async def return_letter(
    request: Request,
    letter_id: UUID,
    caller: IdentifiedAccess,
    session: Transaction,
    wanted: Note,
) -> LetterRead:
    letter = await actions.return_letter(
        session, request.app.state.clock, caller=caller, letter_id=letter_id, note=wanted.note
    )
    return _read(request, letter)


@router.post("/outgoing-letters/{letter_id}/cancellation", responses=STEP)
async def cancel_letter(
    request: Request,
    letter_id: UUID,
    caller: IdentifiedAccess,
    session: Transaction,
    wanted: Note,
) -> LetterRead:
    letter = await actions.cancel_letter(
        session, request.app.state.clock, caller=caller, letter_id=letter_id, note=wanted.note
    )
    return _read(request, letter)


@router.post(
    "/outgoing-letters/{letter_id}/signature",
    responses=responses(
        LetterUnknown,
        NotYourAct,
        LetterElsewhere,
        TemplateMissing,
        SigningUnavailable,
        PassphraseWrong,
        SignerLocked,
        SignerUnknown,
        CertificateEnded,
        FieldInvalid,
    ),
)
async def sign_letter(
    request: Request,
    letter_id: UUID,
    caller: IdentifiedAccess,
    wanted: SignatureWanted | None = None,
) -> LetterRead:
    """Number, PDF/A, signature and record. After a failure ask again: the number stays."""
    state = request.app.state
    desk = Desk(state.database, state.clock, state.content, state.signer, state.settings.public_url)
    unlock = wanted.unlock() if wanted else None
    letter = await issuing.sign_letter(desk, caller=caller, letter_id=letter_id, unlock=unlock)
    return _read(request, letter)


@router.post("/outgoing-letters/{letter_id}/sending", responses=STEP)
async def send_letter(
    request: Request, letter_id: UUID, caller: IdentifiedAccess, session: Transaction
) -> LetterRead:
    clock = request.app.state.clock
    letter = await issuing.send_letter(session, clock, caller=caller, letter_id=letter_id)
    return _read(request, letter)


@router.get("/verifications/{code}", responses=responses(LetterUnknown))
async def verify_code(
    request: Request, code: Code, caller: PublicAccess, session: Transaction
) -> VerificationRead:
    """For anyone who holds the letter: compare the digest of your file with `content_sha256`."""
    del caller
    letter, signature = await actions.verify_code(session, code=code)
    public_url = request.app.state.settings.public_url
    receipt = f"{public_url}/receipts/{letter.event_id}"
    is_destroyed = await actions.is_destroyed(session, letter=letter)
    is_open = letter.security_class == "biasa" and not is_destroyed
    content = f"{public_url}/api/archive/v1/records/{letter.record_id}/content"
    named = {"signer_name": letter.signer["name"], "signer_position": position_of(letter)}
    return VerificationRead.model_validate(
        row_dict(letter)
        | named
        | {"number": letter.number_text, "receipt": receipt, "is_destroyed": is_destroyed}
        | {"content": content if is_open else None}
        | {"profile": signature.profile, "signature_state": signature.state}
        | {"files": [SignedFileRead.model_validate(one) for one in signature.files]}
    )


@router.get(
    "/verifications/{code}/signature",
    responses=responses(LetterUnknown, opening.ContentDestroyed, FileUnavailable, ReportsBusy),
)
async def verify_signature(
    request: Request, code: Code, caller: PublicAccess, session: Transaction
) -> ReportRead:
    """For anyone who holds the letter: what the signature in its last file is worth, and why."""
    del caller
    letter, kept = await actions.verify_code(session, code=code)
    await opening.require_sound(
        session, record_id=letter.record_id, sha256=letter.content_sha256 or ""
    )
    reporter: Reporter = request.app.state.reporter
    content = await actions.content_of(session, kept)
    return read_report(await reporter.report_on(content))
