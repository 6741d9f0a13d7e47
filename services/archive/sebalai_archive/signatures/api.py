"""HTTP of signatures: `/v1/records/{record_id}/signature` and the files."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request
from fastapi.responses import StreamingResponse
from sebalai_shared.caller import IdentifiedAccess
from sebalai_shared.database import Transaction
from sebalai_shared.problems import responses

from sebalai_archive.content_response import RangeBeyond, content_response
from sebalai_archive.records.actions import RecordUnknown, opening
from sebalai_archive.signatures import actions
from sebalai_archive.signatures.actions import NoSignature
from sebalai_archive.signatures.reading import read_signature
from sebalai_archive.signatures.schema import SignatureRead
from sebalai_archive.signing.reporter import FileUnavailable, Reporter, ReportsBusy

router = APIRouter(prefix="/v1", tags=["signatures"])

OPENING = (
    RecordUnknown, opening.ContentClosed, opening.ContentDestroyed, opening.ContentInfected,
)  # fmt: skip
REPORTING = (FileUnavailable, ReportsBusy)


@router.get(
    "/records/{record_id}/signature", responses=responses(*OPENING, NoSignature, *REPORTING)
)
async def read_record_signature(
    request: Request, record_id: UUID, caller: IdentifiedAccess, session: Transaction
) -> SignatureRead:
    """Of a signed letter or signed minutes: what it is now, every file it has been, a report."""
    state = request.app.state
    await opening.open_record(
        session, state.clock, caller=caller, record_id=record_id, what="signature"
    )
    kept = await actions.signature_of(session, record_id=record_id)
    reporter: Reporter = state.reporter
    report = await reporter.report_on(await actions.content_of(session, kept.files[-1]))
    return read_signature(kept, report, f"{state.settings.public_url}/receipts")


@router.get(
    "/records/{record_id}/signature/files/{place}",
    response_class=StreamingResponse,
    responses=responses(*OPENING, NoSignature, FileUnavailable, RangeBeyond),
)
async def read_signed_file(
    request: Request,
    record_id: UUID,
    place: Annotated[int, Path(ge=1, le=10_000)],
    caller: IdentifiedAccess,
    session: Transaction,
) -> StreamingResponse:
    """One of its files: the first is the declared content, the last what to keep."""
    clock = request.app.state.clock
    await opening.open_record(session, clock, caller=caller, record_id=record_id)
    file = await actions.file_of(session, record_id=record_id, place=place)
    content = await actions.content_of(session, file)
    headers = {
        "Content-Type": "application/pdf",
        "ETag": f'"{file.sha256}"',
        "Content-Disposition": f'attachment; filename="{record_id}-{place}.pdf"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-cache",
    }
    try:
        return await content_response(request, request.app.state.content, content, headers)
    except FileNotFoundError as error:
        raise FileUnavailable(
            "The file is not where it should be; the operator must look."
        ) from error
