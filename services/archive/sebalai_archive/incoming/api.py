"""HTTP of incoming letters: `/v1/incoming-letters`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import StreamingResponse
from sebalai_shared.caller import IdentifiedAccess
from sebalai_shared.database import Transaction, row_dict
from sebalai_shared.idempotency import Idempotent, KeyReused
from sebalai_shared.pagination import BadCursor, Page, page
from sebalai_shared.problems import FieldInvalid, NotFound, responses

from sebalai_archive.content_response import RangeBeyond, content_response
from sebalai_archive.incoming import actions, filing
from sebalai_archive.incoming.actions import AlreadyRegistered, IncomingUnknown, NotTheOffice
from sebalai_archive.incoming.filing import LetterFiled, NotRegistered
from sebalai_archive.incoming.schema import (
    IncomingCreate,
    IncomingFile,
    IncomingRead,
    IncomingRegister,
)
from sebalai_archive.incoming.store import Seen
from sebalai_archive.records.actions import RecordUnknown
from sebalai_archive.records.actions.keeping import FileUnitUnknown
from sebalai_archive.records.actions.opening import (
    ContentClosed,
    ContentDestroyed,
    ContentInfected,
)
from sebalai_archive.registers import RegisterPage
from sebalai_archive.seals import actions as seals

router = APIRouter(prefix="/v1/incoming-letters", tags=["incoming letters"])

LetterId = Annotated[UUID, Path()]


class ContentGone(NotFound):
    slug, title = "letter-content-unknown", "The letter's content is not here"


def _read(seen: Seen) -> IncomingRead:
    """Of an envelope neither the subject nor the digest of what is inside."""
    named = row_dict(seen.letter)
    closed = {} if seen.is_open else {"subject": None, "content_sha256": None}
    return IncomingRead.model_validate(named | closed)


@router.post(
    "",
    status_code=201,
    responses=responses(
        NotTheOffice,
        RecordUnknown,
        ContentClosed,
        ContentDestroyed,
        ContentInfected,
        FieldInvalid,
        KeyReused,
    ),
)
async def register_letter(
    request: Request,
    caller: IdentifiedAccess,
    session: Transaction,
    once: Idempotent,
    wanted: IncomingCreate,
) -> IncomingRead:
    """A letter by paper or mail: it gets the next number of the agenda."""

    async def make() -> IncomingRead:
        clock = request.app.state.clock
        return _read(await actions.register_letter(session, clock, caller=caller, wanted=wanted))

    return await once.answer(session, IncomingRead, make)


@router.get("", responses=responses(BadCursor))
async def list_letters(
    request: Request,
    caller: IdentifiedAccess,
    session: Transaction,
    ask: RegisterPage,
) -> Page[IncomingRead]:
    """The office's agenda; for everybody else only what a live disposition opens. An envelope is
    found by number and sender, by its subject only what the caller opens.
    """
    clock = request.app.state.clock
    rows = await actions.list_letters(session, clock, caller=caller, page=ask)
    return page(rows, ask.limit, _read, lambda row: [row.letter.id])


@router.get("/{letter_id}", responses=responses(IncomingUnknown))
async def read_letter(
    request: Request, letter_id: LetterId, caller: IdentifiedAccess, session: Transaction
) -> IncomingRead:
    clock = request.app.state.clock
    return _read(await actions.find_letter(session, clock, caller=caller, letter_id=letter_id))


@router.post(
    "/{letter_id}/registration",
    responses=responses(IncomingUnknown, NotTheOffice, AlreadyRegistered),
)
async def register_arrived(
    request: Request,
    letter_id: LetterId,
    caller: IdentifiedAccess,
    session: Transaction,
    wanted: IncomingRegister,
) -> IncomingRead:
    """A letter that came over the bus gets its agenda number."""
    letter = await actions.register_arrived(
        session,
        request.app.state.clock,
        caller=caller,
        letter_id=letter_id,
        addressed_to=wanted.addressed_to,
    )
    return _read(letter)


@router.post(
    "/{letter_id}/filing",
    responses=responses(
        IncomingUnknown,
        NotTheOffice,
        NotRegistered,
        LetterFiled,
        FileUnitUnknown,
        ContentInfected,
        FieldInvalid,
    ),
)
async def file_letter(
    request: Request,
    letter_id: LetterId,
    caller: IdentifiedAccess,
    session: Transaction,
    wanted: IncomingFile,
) -> IncomingRead:
    """The letter becomes a record of its agency in a file unit: declared, with its retention."""
    clock = request.app.state.clock
    return _read(
        await filing.file_letter(session, clock, caller=caller, letter_id=letter_id, wanted=wanted)
    )


@router.get(
    "/{letter_id}/content",
    response_class=StreamingResponse,
    responses=responses(
        IncomingUnknown, ContentClosed, ContentDestroyed, ContentInfected, ContentGone, RangeBeyond
    ),
)
async def read_content(
    request: Request, letter_id: LetterId, caller: IdentifiedAccess, session: Transaction
) -> Response:
    """The letter itself. A disposition whose recipient opens it here is read from then on."""
    clock = request.app.state.clock
    letter = await actions.open_letter(session, clock, caller=caller, letter_id=letter_id)
    digest, size = letter.content_sha256, letter.content_bytes
    if digest is None or size is None:
        raise ContentGone("Ask the sender; there is none yet.")
    content = await seals.locate(
        session, sha256=digest, size=size, security_class=letter.security_class
    )
    headers = {
        "ETag": f'"{digest}"',
        "Content-Type": "application/octet-stream",
        "Content-Disposition": f'attachment; filename="{letter.id}"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-cache",
    }
    try:
        return await content_response(request, request.app.state.content, content, headers)
    except FileNotFoundError as error:
        raise ContentGone("Ask the sender; the operator looks after what is missing.") from error
