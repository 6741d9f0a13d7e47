"""HTTP of a record's content: `/v1/records/{id}/content`, in and out."""

import base64
import binascii
import re
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import FileResponse
from sebalai_shared.caller import IdentifiedAccess, PublicAccess
from sebalai_shared.database import Database, Transaction, row_dict
from sebalai_shared.problems import Problem, Unavailable, responses

from sebalai_archive.content_store import ContentStore, DigestDiffers, OverLimit, Stored
from sebalai_archive.examinations import actions as examinations
from sebalai_archive.records import actions
from sebalai_archive.records.actions import MayNotWrite, RecordDeclared, RecordUnknown, opening
from sebalai_archive.records.actions.opening import (
    ContentClosed,
    ContentDestroyed,
    ContentInfected,
)
from sebalai_archive.records.model import Record
from sebalai_archive.records.reading import record_read
from sebalai_archive.records.schema import ExaminationRead, RecordRead
from sebalai_archive.retention.actions import civil_date

router = APIRouter(prefix="/v1/records", tags=["records"])

SHA256_BYTES = 32
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


async def _store(request: Request, digest: bytes) -> Stored:
    store: ContentStore = request.app.state.content
    limit = store.bytes_limit
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > limit:
        raise ContentTooLarge(f"At most {limit} bytes are taken; split it into more records.")
    try:
        return await store.put(request.stream(), digest)
    except OverLimit as error:
        raise ContentTooLarge(
            f"At most {limit} bytes are taken; split it into more records."
        ) from error
    except DigestDiffers as error:
        raise DigestMismatch("Compute the SHA-256 over what you send, and send it anew.") from error
    except OSError as error:
        raise StoreUnavailable("The store did not take it; nothing was kept. Try later.") from error


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
    """Streams content into a draft. The bytes are durable before a row names them.

    Two short transactions instead of the request's one: a slow upload must not hold one open.
    The second asks again, because the record may have been declared meanwhile.
    """
    database: Database = request.app.state.database
    async with database.transaction() as session:
        await actions.require_draft(
            session, request.app.state.clock, caller=caller, record_id=record_id
        )
    digest, media_type = announced_sha256(content_digest), _media_type(content_type)
    stored = await _store(request, digest)
    clock = request.app.state.clock
    async with database.transaction() as session:
        record = await actions.require_draft(session, clock, caller=caller, record_id=record_id)
        await actions.attach_content(
            session, clock, record=record, stored=stored, media_type=media_type
        )
        same = await actions.same_content(session, clock, caller=caller, record=record)
    public_url = request.app.state.settings.public_url
    return record_read(record, public_url, civil_date(clock.now()), same)


@router.get(
    "/{record_id}/content",
    response_class=FileResponse,
    responses=responses(
        RecordUnknown, ContentClosed, ContentDestroyed, ContentInfected, ContentUnavailable
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
    store: ContentStore = request.app.state.content
    if not await store.holds(Stored(record.content_sha256, record.content_bytes)):
        raise ContentUnavailable("The file is not where it should be; the operator must look.")
    return FileResponse(
        store.path(record.content_sha256),
        headers={"ETag": etag, **_content_headers(request, record)},
    )


def _content_headers(request: Request, record: Record) -> dict[str, str]:
    """`Repr-Digest` is of the whole content, `Content-Digest` of what this answer carries."""
    digest = base64.b64encode(bytes.fromhex(record.content_sha256 or "")).decode()
    headers = {
        # By header, because a `media_type` would get a charset that nobody declared.
        "Content-Type": record.content_type or UNKNOWN_TYPE,
        "Repr-Digest": f"sha-256=:{digest}:",
        "Content-Disposition": f'attachment; filename="{record.id}"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-cache",
    }
    if "range" not in request.headers:
        headers["Content-Digest"] = headers["Repr-Digest"]
    return headers


@router.get(
    "/{record_id}/examination",
    responses=responses(
        RecordUnknown, ContentClosed, ContentDestroyed, ContentInfected, NotExamined
    ),
)
async def read_examination(
    request: Request, record_id: UUID, caller: IdentifiedAccess, session: Transaction
) -> ExaminationRead:
    """What was found in the content: its format by PRONOM, whether it has text, the virus scan."""
    clock = request.app.state.clock
    record = await opening.open_record(
        session, clock, caller=caller, record_id=record_id, what="examination"
    )
    found = await examinations.found_in(session, sha256=record.content_sha256 or "")
    if found is None:
        raise NotExamined("Wait a little; the worker looks into one after another.")
    return ExaminationRead.model_validate(row_dict(found))
