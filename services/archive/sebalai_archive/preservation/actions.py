"""Decisions about preservation: what an object holds, when a new version is due, what goes."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.content.objects import object_id_of
from sebalai_archive.content_store import Stored
from sebalai_archive.preservation import store
from sebalai_archive.preservation.model import PreservedVersion
from sebalai_archive.reader import SecurityClass, enter_as_worker
from sebalai_archive.seals import actions as seals

A_PASS = 200
LOOKED_AFTER = timedelta(hours=1)
DOCUMENT, CONTENT, SEALED = "record.json", "content", ".sealed"


@dataclass(frozen=True, slots=True)
class Preserved:
    """A record as its object should be: the document with the metadata, and contents by path."""

    record_id: UUID
    security_class: SecurityClass
    document: bytes
    contents: Mapping[str, Stored]
    last: PreservedVersion | None

    @property
    def object_id(self) -> str:
        return object_id_of(self.record_id)

    @property
    def document_sha256(self) -> str:
        return hashlib.sha256(self.document).hexdigest()

    def files(self, document: Stored) -> dict[str, str]:
        """Stored digests by logical path."""
        whole = {DOCUMENT: document, **self.contents}
        return {path + (SEALED if one.seal else ""): one.stored for path, one in whole.items()}


async def next_records(session: AsyncSession, *, now: datetime) -> Sequence[UUID]:
    return await store.waiting(session, now - LOOKED_AFTER, A_PASS)


async def as_it_should_be(session: AsyncSession, *, record_id: UUID, now: datetime) -> Preserved:
    await enter_as_worker(session, now)
    security_class: SecurityClass = await store.class_of(session, record_id)
    contents = {
        _path(one.place): await seals.locate(
            session, sha256=one.sha256, size=one.bytes, security_class=security_class
        )
        for one in await store.contents(session, record_id)
    }
    document = (await store.document(session, record_id)).encode()
    last = await store.last(session, record_id)
    return Preserved(record_id, security_class, document, contents, last)


def _path(place: int) -> str:
    return CONTENT if place == 1 else f"{CONTENT}-{place}"


async def keep_document(
    session: AsyncSession, *, wanted: Preserved, document: Stored, now: datetime
) -> Stored:
    """The document as it counts: that of an earlier seal of the same text, where there is one."""
    await seals.keep(session, document, now=now)
    return await locate_document(session, wanted=wanted, size=document.size)


async def locate_document(session: AsyncSession, *, wanted: Preserved, size: int) -> Stored:
    return await seals.locate(
        session,
        sha256=wanted.document_sha256,
        size=size,
        security_class=wanted.security_class,
    )


async def keep_version(
    session: AsyncSession, *, wanted: Preserved, version: int, now: datetime
) -> None:
    await store.add(
        session,
        PreservedVersion(
            record_id=wanted.record_id,
            version=version,
            document_sha256=wanted.document_sha256,
            document_bytes=len(wanted.document),
            at=now,
        ),
    )


async def note_looked(session: AsyncSession, *, record_id: UUID, now: datetime) -> None:
    await store.looked_at(session, record_id, now)


async def forget(session: AsyncSession, *, record_id: UUID) -> Sequence[str]:
    """When a record is destroyed: its documents go too, for they hold its salt. Answers their
    digests; what stays of the record is written as an object anew.
    """
    documents = [one.document_sha256 for one in await store.versions(session, record_id)]
    await store.forget(session, record_id)
    return documents
