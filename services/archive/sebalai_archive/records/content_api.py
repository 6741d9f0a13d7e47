"""HTTP of a record's content: `/v1/records/{id}/content`, in and out."""

import base64
import binascii
import re
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import StreamingResponse
from sebalai_shared.caller import Caller, IdentifiedAccess, PublicAccess
from sebalai_shared.database import Transaction, row_dict
from sebalai_shared.problems import Problem, Unavailable, responses
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.content_response import RangeBeyond, content_response
from sebalai_archive.content_store import ContentStore, DigestDiffers, OverLimit, Stored
from sebalai_archive.examinations import actions as examinations
from sebalai_archive.reader import SecurityClass
from sebalai_archive.records import actions
from sebalai_archive.records.actions import MayNotWrite, RecordDeclared, RecordUnknown, opening
from sebalai_archive.records.actions.opening import (
    ContentClosed,
    ContentDestroyed,
    ContentInfected,
)
from sebalai_archive.records.actions.together import SmallContent
from sebalai_archive.records.model import Record
from sebalai_archive.records.reading import record_read
from sebalai_archive.records.schema import ExaminationRead, RecordRead
from sebalai_archive.retention.actions import civil_date
from sebalai_archive.seals import actions as seals

router = APIRouter(prefix="/v1/records", tags=["records"])

SHA256_BYTES = 32
WHOLE_BYTES = 1024 * 1024
MEDIA_TYPE_LENGTH_MAX = 200
UNKNOWN_TYPE = "application/octet-stream"
HEADER_LENGTH_MAX = 1_000

_DIGEST = re.compile(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/=]*):\s*(?:,|$)")
_MEDIA_TYPE = re.compile(
    r"[\w.+-]+/[\w.+-]+(?:\s*;\s*[\w-]+=(?:[\w.+-]+|\"[\w .+-]*\"))*", re.ASCII
)

ContentDigest = Annotated[
    str | None,
    Header(max_length=HEADER_LENGTH_MAX, description="RFC 9530, with a sha-256 member; required"),
]
ContentType = Annotated[str, Header(max_length=HEADER_LENGTH_MAX)]


class DigestMissing(Problem):
    status, slug, title = 400, "digest-missing", "The content came without its digest"


class DigestMismatch(Problem):
    status, slug, title = 400, "digest-mismatch", "The content differs from its digest"


class ContentTooLarge(Problem):
    status, slug, title = 413, "content-too-large", "The content is too large"


class MediaTypeInvalid(Problem):
    status, slug, title = 415, "media-type-invalid", "The Content-Type is not a media type"


class NotExamined(RecordUnknown):
    slug, title = "content-not-examined", "Nobody looked into the content yet"


class ContentUnknown(RecordUnknown):
    slug, title = "content-unknown", "The record has no content"


class ContentUnavailable(Unavailable):
    slug, title = "content-unavailable", "The content cannot be read for the moment"


class StoreUnavailable(Unavailable):
    slug, title = "content-store-unavailable", "The content cannot be stored for the moment"


def announced_sha256(header: str | None) -> bytes:
    """Raises `DigestMissing`; one that cannot be a SHA-256 counts as missing."""
    found = _DIGEST.search(header or "")
    if found is None:
        raise DigestMissing("Send Content-Digest: sha-256=:<base64 of the SHA-256>: (RFC 9530).")
    try:
        digest = base64.b64decode(found.group(1), validate=True)
    except binascii.Error as error:
        raise DigestMissing("The sha-256 of Content-Digest is not base64.") from error
    if len(digest) != SHA256_BYTES:
        raise DigestMissing("The sha-256 of Content-Digest must be 32 bytes in base64.")
    return digest


def _media_type(header: str) -> str:
    if len(header) > MEDIA_TYPE_LENGTH_MAX or not _MEDIA_TYPE.fullmatch(header):
        raise MediaTypeInvalid("Send a media type such as application/pdf, or leave it out.")
    return header


@dataclass(frozen=True)
class _Sent:
    """What came with a PUT of content, its body not yet read."""

    request: Request
    record_id: UUID
    caller: Caller
    digest: str | None
    media_type: str

    @property
    def size(self) -> int | None:
        """As declared; None for a body whose length nobody told."""
        declared = self.request.headers.get("content-length", "")
        return int(declared) if declared.isdigit() else None


async def _put(
    store: ContentStore, body: AsyncIterable[bytes], digest: bytes, security_class: SecurityClass
) -> Stored:
    try:
        return await store.put(body, digest, security_class)
    except OverLimit as error:
        raise _too_large(store.bytes_limit) from error
    except DigestDiffers as error:
        raise DigestMismatch("Compute the SHA-256 over what you send, and send it anew.") from error
    except OSError as error:
        raise StoreUnavailable("The store did not take it; nothing was kept. Try later.") from error


def _too_large(limit: int) -> ContentTooLarge:
    return ContentTooLarge(f"At most {limit} bytes are taken; split it into more records.")


@router.put(
    "/{record_id}/content",
    responses=responses(
        RecordUnknown,
        MayNotWrite,
        RecordDeclared,
        DigestMismatch,
        ContentTooLarge,
        MediaTypeInvalid,
        StoreUnavailable,
    ),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def put_content(
    request: Request,
    record_id: UUID,
    caller: IdentifiedAccess,
    content_digest: ContentDigest = None,
    content_type: ContentType = UNKNOWN_TYPE,
) -> RecordRead:
    """Streams content into a draft. The bytes are durable before a row names them."""
    sent = _Sent(request, record_id, caller, content_digest, content_type)
    state, size = request.app.state, sent.size
    if size is not None and size <= min(WHOLE_BYTES, state.content.bytes_limit):
        record, same = await _take_whole(sent)
    else:
        record, same = await _take_streamed(sent)
    return record_read(record, state.settings.public_url, civil_date(state.clock.now()), same)


async def _take_whole(sent: _Sent) -> tuple[Record, Sequence[UUID]]:
    """With others where it is plainly right, else alone. A body that is here before the transaction
    begins needs but one: no sender holds it open.
    """
    body = await sent.request.body()
    with suppress(DigestMissing, MediaTypeInvalid):
        digest, media_type = announced_sha256(sent.digest), _media_type(sent.media_type)
        one = SmallContent(sent.record_id, body, digest, media_type)
        taken = await sent.request.app.state.together.take(sent.caller, one)
        if sent.record_id in taken:
            return taken[sent.record_id]
    return await _take_alone(sent, body)


async def _take_alone(sent: _Sent, body: bytes) -> tuple[Record, Sequence[UUID]]:
    """Says also what is wrong, and in which order."""
    state = sent.request.app.state
    async with state.database.transaction() as session:
        record = await _draft(session, sent)
        digest = announced_sha256(sent.digest)
        media_type = _media_type(sent.media_type)
        stored = await _put(state.content, _once(body), digest, record.security_class)
        return await _attach(session, sent, record, stored, media_type)


async def _take_streamed(sent: _Sent) -> tuple[Record, Sequence[UUID]]:
    """Two short transactions instead of the request's one: a slow upload must not hold one open.
    The second asks again, because the record may have been declared meanwhile.
    """
    state = sent.request.app.state
    async with state.database.transaction() as session:
        record = await _draft(session, sent)
    digest, media_type = announced_sha256(sent.digest), _media_type(sent.media_type)
    if (sent.size or 0) > state.content.bytes_limit:
        raise _too_large(state.content.bytes_limit)
    body = sent.request.stream()
    stored = await _put(state.content, body, digest, record.security_class)
    async with state.database.transaction() as session:
        record = await _draft(session, sent)
        return await _attach(session, sent, record, stored, media_type)


async def _draft(session: AsyncSession, sent: _Sent) -> Record:
    clock = sent.request.app.state.clock
    return await actions.require_draft(session, clock, caller=sent.caller, record_id=sent.record_id)


async def _attach(
    session: AsyncSession, sent: _Sent, record: Record, stored: Stored, media_type: str
) -> tuple[Record, Sequence[UUID]]:
    clock = sent.request.app.state.clock
    await actions.attach_content(
        session, clock, record=record, stored=stored, media_type=media_type
    )
    return record, await actions.same_content(session, clock, caller=sent.caller, record=record)


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body


@router.get(
    "/{record_id}/content",
    response_class=StreamingResponse,
    responses=responses(
        RecordUnknown,
        ContentClosed,
        ContentDestroyed,
        ContentInfected,
        ContentUnavailable,
        RangeBeyond,
    ),
)
async def read_content(
    request: Request, record_id: UUID, caller: PublicAccess, session: Transaction
) -> Response:
    """The bytes, whole or by `Range`; `ETag` is their SHA-256."""
    clock = request.app.state.clock
    record = await opening.open_record(session, clock, caller=caller, record_id=record_id)
    if record.content_sha256 is None or record.content_bytes is None:
        raise ContentUnknown("PUT it to this address first.")
    etag = f'"{record.content_sha256}"'
    known = request.headers.get("if-none-match", "")
    if known == "*" or etag in (part.strip().removeprefix("W/") for part in known.split(",")):
        return Response(status_code=304, headers={"ETag": etag})
    content = await seals.locate(
        session,
        sha256=record.content_sha256,
        size=record.content_bytes,
        security_class=record.security_class,
    )
    headers = {"ETag": etag, **_content_headers(record)}
    try:
        return await content_response(request, request.app.state.content, content, headers)
    except FileNotFoundError as error:
        raise ContentUnavailable(
            "The file is not where it should be; the operator must look."
        ) from error


def _content_headers(record: Record) -> dict[str, str]:
    """`Repr-Digest` is of the whole content, also beside a part of it."""
    digest = base64.b64encode(bytes.fromhex(record.content_sha256 or "")).decode()
    return {
        # By header, because a `media_type` would get a charset that nobody declared.
        "Content-Type": record.content_type or UNKNOWN_TYPE,
        "Repr-Digest": f"sha-256=:{digest}:",
        "Content-Disposition": f'attachment; filename="{record.id}"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-cache",
    }


@router.get(
    "/{record_id}/examination",
    responses=responses(
        RecordUnknown, ContentClosed, ContentDestroyed, ContentInfected, NotExamined
    ),
)
async def read_examination(
    request: Request, record_id: UUID, caller: IdentifiedAccess, session: Transaction
) -> ExaminationRead:
    """What was found in the content: its format by PRONOM, whether it has text, the virus scan.
    A scan without text waits for recognition, or says that this archive has no engine for it.
    """
    clock = request.app.state.clock
    record = await opening.open_record(
        session, clock, caller=caller, record_id=record_id, what="examination"
    )
    found = await examinations.found_in(session, sha256=record.content_sha256 or "")
    if found is None:
        raise NotExamined("Wait a little; the worker looks into one after another.")
    read = ExaminationRead.model_validate(row_dict(found))
    if read.recognition == "waiting" and request.app.state.settings.ocr_program is None:
        read.recognition = "no_engine"
    return read
