"""Decisions about resumable uploads: begin, count, finish, end, forget."""

import os
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.idempotency import KeyReused
from sebalai_shared.ids import uuid7
from sebalai_shared.problems import NotFound, Problem
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.content.frames import SealBroken
from sebalai_archive.content.keys import ClassKeys, KeyUnknown, Wrapped
from sebalai_archive.content.units import KEY_BYTES
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
    session: AsyncSession,
    clock: Clock,
    *,
    caller: Caller,
    record_id: UUID,
    wanted: Upload,
    keys: ClassKeys,
) -> Upload:
    """Ties `wanted` (length, digest, media type, metadata) to a draft of the caller. What comes
    for a class that has a key is sealed from the first byte, under a key of this upload alone.

    With the key of an upload begun before, that one is answered.
    Raises `RecordUnknown`, `MayNotWrite`, `RecordDeclared`, `TooManyUploads`, `KeyReused`.
    """
    begun = wanted.begun_key and await store.find_begun(session, caller, wanted.begun_key)
    if begun:
        if (begun.length, begun.metadata_text) != (wanted.length, wanted.metadata_text):
            raise KeyReused("Use a new Idempotency-Key for a new upload.")
        return begun
    record = await records.require_draft(session, clock, caller=caller, record_id=record_id)
    now = clock.now()
    if await store.count_open(session, caller, now) >= OPEN_UPLOADS_MAX:
        raise TooManyUploads(f"At most {OPEN_UPLOADS_MAX}; finish or DELETE some.")
    wanted.id, wanted.record_id, wanted.received = uuid7(), record_id, 0
    wanted.agency, wanted.subject = caller.agency or "", caller.subject or ""
    wanted.created_at, wanted.expires_at = now, now + KEPT
    _seal(wanted, record.security_class, keys)
    session.add(wanted)
    await session.flush()
    return wanted


def _seal(upload: Upload, security_class: SecurityClass, keys: ClassKeys) -> None:
    if keys.current(security_class) is None:
        return
    wrapped = keys.wrap(security_class, _name(upload), os.urandom(KEY_BYTES))
    upload.security_class = security_class
    upload.key_id, upload.wrapped_key = wrapped.key_id, wrapped.box


def _name(upload: Upload) -> str:
    """What its key is bound to, in place of a digest that nobody knows yet."""
    return f"upload {upload.id}"


def key_of(upload: Upload, keys: ClassKeys) -> bytes | None:
    """None for one that lies plain. Raises `UploadExpired` when the key of its class is gone."""
    if upload.security_class is None or upload.key_id is None or upload.wrapped_key is None:
        return None
    wrapped = Wrapped(upload.key_id, upload.wrapped_key)
    try:
        return keys.unwrap(upload.security_class, _name(upload), wrapped)
    except (KeyUnknown, SealBroken) as error:
        raise UploadExpired("Begin anew; the key of what had come is gone.") from error


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
