"""Decisions about resumable uploads: begin, count, finish, end, forget."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.idempotency import KeyReused
from sebalai_shared.ids import uuid7
from sebalai_shared.problems import NotFound, Problem
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.content_store import Stored
from sebalai_archive.reader import SecurityClass
from sebalai_archive.records import actions as records
from sebalai_archive.uploads import store
from sebalai_archive.uploads.model import Upload

KEPT = timedelta(hours=24)
OPEN_UPLOADS_MAX = 100
EXPIRED_A_PASS = 500


class UploadUnknown(NotFound):
    slug, title = "upload-unknown", "There is no such upload, or it is not yours"


class UploadExpired(Problem):
    status, slug, title = 410, "upload-expired", "The upload is past its time"


class TooManyUploads(Problem):
    status, slug, title = 429, "too-many-uploads", "Too many uploads are open"


async def begin_upload(
    session: AsyncSession, clock: Clock, *, caller: Caller, record_id: UUID, wanted: Upload
) -> Upload:
    """Ties `wanted` (length, digest, media type, metadata) to a draft of the caller.

    With the key of an upload begun before, that one is answered.
    Raises `RecordUnknown`, `MayNotWrite`, `RecordDeclared`, `TooManyUploads`, `KeyReused`.
    """
    begun = wanted.begun_key and await store.find_begun(session, caller, wanted.begun_key)
    if begun:
        if (begun.length, begun.metadata_text) != (wanted.length, wanted.metadata_text):
            raise KeyReused("Use a new Idempotency-Key for a new upload.")
        return begun
    await records.require_draft(session, clock, caller=caller, record_id=record_id)
    now = clock.now()
    if await store.count_open(session, caller, now) >= OPEN_UPLOADS_MAX:
        raise TooManyUploads(f"At most {OPEN_UPLOADS_MAX}; finish or DELETE some.")
    wanted.id, wanted.record_id, wanted.received = uuid7(), record_id, 0
    wanted.agency, wanted.subject = caller.agency or "", caller.subject or ""
    wanted.created_at, wanted.expires_at = now, now + KEPT
    session.add(wanted)
    await session.flush()
    return wanted


async def find_upload(
    session: AsyncSession, clock: Clock, *, caller: Caller, upload_id: UUID
) -> Upload:
    """Raises `UploadUnknown`, `UploadExpired`."""
    found = await store.find(session, caller, upload_id)
    if found is None:
        raise UploadUnknown("Begin one by POST /v1/uploads.")
    if found.expires_at <= clock.now():
        raise UploadExpired("Begin anew; what had come is gone.")
    return found


async def count_received(
    session: AsyncSession, *, caller: Caller, upload_id: UUID, received: int
) -> None:
    found = await store.find(session, caller, upload_id)
    if found is not None:
        found.received = received
        await session.flush()


async def class_of(
    session: AsyncSession, clock: Clock, *, caller: Caller, upload: Upload
) -> SecurityClass:
    """Of the draft it is for. Raises `RecordUnknown`, `MayNotWrite`, `RecordDeclared`."""
    record = await records.require_draft(session, clock, caller=caller, record_id=upload.record_id)
    return record.security_class


async def finish_upload(
    session: AsyncSession, clock: Clock, *, caller: Caller, upload_id: UUID, stored: Stored
) -> Upload:
    """Names the whole, durable content in the draft.

    Raises `UploadUnknown`, `RecordUnknown`, `MayNotWrite`, `RecordDeclared`.
    """
    upload = await find_upload(session, clock, caller=caller, upload_id=upload_id)
    record = await records.require_draft(session, clock, caller=caller, record_id=upload.record_id)
    await records.attach_content(
        session, clock, record=record, stored=stored, media_type=upload.media_type
    )
    upload.finished_sha256 = stored.sha256
    await session.flush()
    return upload


async def end_upload(
    session: AsyncSession, clock: Clock, *, caller: Caller, upload_id: UUID
) -> None:
    await find_upload(session, clock, caller=caller, upload_id=upload_id)
    await store.remove(session, upload_id)


async def forget_expired(session: AsyncSession, clock: Clock) -> Sequence[UUID]:
    return await store.remove_expired(session, clock.now(), EXPIRED_A_PASS)
