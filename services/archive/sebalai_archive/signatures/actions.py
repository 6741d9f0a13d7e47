"""Decisions about signed files: take one up, say what is due, keep what was added."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sebalai_shared.clock import Clock, to_text
from sebalai_shared.ids import uuid7
from sebalai_shared.outbox import publish
from sebalai_shared.problems import NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.content_store import Stored
from sebalai_archive.records import actions as records
from sebalai_archive.seals import actions as seals
from sebalai_archive.signatures import events, store
from sebalai_archive.signatures.model import Signature, SignatureRevision
from sebalai_archive.signatures.schedule import renewal_at, retry_at
from sebalai_archive.signing.signer import Augmented, Profile, SignatureState, Signed

FORMAT = "sebalai-signature/1"


class NoSignature(NotFound):
    slug, title = "no-signature", "The archive has not signed this record"


@dataclass(frozen=True, slots=True)
class Due:
    """A signed file for which something is to be done, claimed until its next try."""

    record_id: UUID
    place: int
    profile: Profile
    content: Stored


@dataclass(frozen=True, slots=True)
class SignedFile:
    """One of the files that a signed record has been; `event_id` is of its fact in the ledger."""

    place: int
    profile: Profile
    sha256: str
    bytes: int
    at: datetime
    stamped_at: datetime | None
    good_until: datetime | None
    event_id: UUID | None
    statement: str | None


@dataclass(frozen=True, slots=True)
class KeptSignature:
    """What is known of a record's signature; `problem` is why what was due could not be done."""

    profile: Profile
    state: SignatureState
    due_at: datetime
    problem: str | None
    files: Sequence[SignedFile]


async def take_up(
    session: AsyncSession,
    clock: Clock,
    *,
    record_id: UUID,
    agency: str,
    signed: Signed,
    stored: Stored,
) -> Signature:
    """The freshly signed content of a record just declared; the fact goes out."""
    state: SignatureState = "timestamped" if signed.profile != "B-B" else "plain"
    if signed.is_awaiting:
        state = "awaiting_timestamp"
    made = Signature(
        record_id=record_id,
        agency=agency,
        profile=signed.profile,
        state=state,
        revisions=1,
        due_at=clock.now(),
        tries=0,
    )
    session.add(made)
    await session.flush()
    await _write(session, clock, made, stored, None)
    return made


async def _write(
    session: AsyncSession, clock: Clock, kept: Signature, stored: Stored, made: Augmented | None
) -> None:
    revision = SignatureRevision(
        record_id=kept.record_id,
        place=kept.revisions,
        profile=kept.profile,
        content_sha256=stored.sha256,
        content_bytes=stored.size,
        at=clock.now(),
        stamped_at=made.stamped_at if made else None,
        good_until=made.good_until if made else None,
        event_id=uuid7(),
    )
    statement = revision.statement = _statement(revision)
    await seals.keep(session, stored, now=clock.now())
    session.add(revision)
    await session.flush()
    fact = events.SignatureRecorded(
        record_id=kept.record_id,
        agency=kept.agency,
        place=kept.revisions,
        profile=kept.profile,
        state=kept.state,
        commitment=await records.commit(session, record_id=kept.record_id, statement=statement),
    )
    event_id = revision.event_id or uuid7()
    await publish(session, events.recorded(event_id, fact, clock.now()))


def _statement(revision: SignatureRevision) -> str:
    """Canonical JSON, as that of records."""
    facts = {
        "format": FORMAT,
        "record_id": str(revision.record_id),
        "place": revision.place,
        "profile": revision.profile,
        "content_sha256": revision.content_sha256,
        "content_bytes": revision.content_bytes,
        "at": to_text(revision.at),
        "stamped_at": to_text(revision.stamped_at) if revision.stamped_at else None,
    }
    return json.dumps(facts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


async def claim_due(session: AsyncSession, clock: Clock) -> Due | None:
    """One, put off to its next try before anything is tried: who dies meanwhile loses nothing."""
    kept = await store.next_due(session, clock.now())
    if kept is None:
        return None
    last = await store.revision(session, kept.record_id, kept.revisions)
    if last is None:
        raise RuntimeError(f"signature of {kept.record_id} has no revision {kept.revisions}")
    kept.tries += 1
    kept.due_at = retry_at(clock.now(), kept.tries)
    await session.flush()
    content = await seals.locate(session, sha256=last.content_sha256, size=last.content_bytes)
    return Due(kept.record_id, kept.revisions, kept.profile, content)


async def keep_augmented(
    session: AsyncSession, clock: Clock, *, due: Due, made: Augmented, stored: Stored
) -> bool:
    """False when the record was destroyed meanwhile, or another worker was there first."""
    kept = await store.lock(session, due.record_id)
    if kept is None or kept.revisions != due.place:
        return False
    kept.profile, kept.revisions = made.profile, due.place + 1
    kept.state = "preserved" if made.profile == "B-LTA" else "timestamped"
    is_first_time = due.profile == "B-B"  # only stamped: it is preserved in the same pass
    kept.due_at = clock.now() if is_first_time else renewal_at(clock.now(), made.good_until)
    kept.tries, kept.problem = 0, None
    await session.flush()
    await _write(session, clock, kept, stored, made)
    return True


async def note_problem(session: AsyncSession, *, record_id: UUID, problem: str) -> None:
    kept = await store.lock(session, record_id)
    if kept is not None:
        kept.problem = problem
        await session.flush()


async def signature_of(session: AsyncSession, *, record_id: UUID | None) -> KeptSignature:
    """Of a record that the caller may open, or a letter whose code it has. Raises: NoSignature."""
    kept = await store.find(session, record_id) if record_id else None
    if kept is None:
        raise NoSignature("The archive signed letters and minutes; this record is neither.")
    files = [_file(one) for one in await store.revisions(session, kept.record_id)]
    return KeptSignature(kept.profile, kept.state, kept.due_at, kept.problem, files)


async def signature_or_plain(
    session: AsyncSession, *, record_id: UUID | None, content: Stored, at: datetime
) -> KeptSignature:
    """Of a file the archive signed `at`: plain where that was before signatures were kept."""
    if record_id and await store.find(session, record_id):
        return await signature_of(session, record_id=record_id)
    file = SignedFile(1, "B-B", content.sha256, content.size, at, None, None, None, None)
    return KeptSignature("B-B", "plain", at, None, [file])


async def content_of(session: AsyncSession, file: SignedFile) -> Stored:
    """The file as the store can open it."""
    return await seals.locate(session, sha256=file.sha256, size=file.bytes)


async def file_of(session: AsyncSession, *, record_id: UUID, place: int) -> SignedFile:
    """Raises: NoSignature."""
    found = await store.revision(session, record_id, place)
    if found is None:
        raise NoSignature("Look up its files under /v1/records/{id}/signature.")
    return _file(found)


def _file(one: SignatureRevision) -> SignedFile:
    return SignedFile(
        place=one.place,
        profile=one.profile,
        sha256=one.content_sha256,
        bytes=one.content_bytes,
        at=one.at,
        stamped_at=one.stamped_at,
        good_until=one.good_until,
        event_id=one.event_id,
        statement=one.statement,
    )


async def later_content(session: AsyncSession, *, record_id: UUID) -> Sequence[str]:
    """Digests of what was added to a record's declared content: they go when it goes."""
    found = await store.revisions(session, record_id)
    return [one.content_sha256 for one in found if one.place > 1]
