"""Decisions about seals: keep one, find the one that opens, wrap anew, destroy."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.content.keys import SEALED_CLASSES, ClassKeys, Wrapped
from sebalai_archive.content.places import SWEEP_AFTER_SECONDS
from sebalai_archive.content_store import Seal, Stored
from sebalai_archive.reader import SecurityClass, enter_as_worker
from sebalai_archive.seals import store
from sebalai_archive.seals.model import ContentSeal

A_PASS = 100
KEPT_UNNAMED = timedelta(seconds=SWEEP_AFTER_SECONDS)


async def keep(session: AsyncSession, content: Stored, *, now: datetime) -> None:
    """In the transaction that names the content. Bytes equal to earlier ones of the class stay
    under their first seal, and ours are swept.
    """
    await keep_all(session, [content], now=now)


async def keep_all(session: AsyncSession, contents: Sequence[Stored], *, now: datetime) -> None:
    """The same for several."""
    rows = [_values(one, one.seal, now) for one in contents if one.seal is not None]
    if rows:
        await store.keep(session, sorted(rows, key=lambda row: str(row["sha256"])))


def _values(content: Stored, seal: Seal, now: datetime) -> dict[str, Any]:
    return {
        "sha256": content.sha256,
        "security_class": seal.security_class,
        "stored": seal.stored,
        "size": content.size,
        "key_id": seal.wrapped.key_id,
        "wrapped_key": seal.wrapped.box,
        "at": now,
    }


async def locate(
    session: AsyncSession, *, sha256: str, size: int, security_class: SecurityClass | None = None
) -> Stored:
    """The content as it can be opened, for a caller whose right to it is decided. A letter's own
    class may differ from that of the record whose bytes it is: any seal of these bytes will do,
    and none means that they lie plain.
    """
    if security_class == "biasa":
        return Stored(sha256, size)
    found = await store.find(session, sha256, security_class)
    return Stored(sha256, size, _seal(found) if found is not None else None)


def _seal(kept: ContentSeal) -> Seal:
    return Seal(kept.stored, kept.security_class, Wrapped(kept.key_id, kept.wrapped_key))


async def hold(session: AsyncSession, *, record_id: UUID, sha256: str) -> ContentSeal | None:
    """The seal of a record's content, held: nobody names it anew until this transaction ends."""
    return await store.hold(session, record_id, sha256)


async def destroy(session: AsyncSession, seal: ContentSeal) -> None:
    """With its data key the content is gone from every copy, also from those nobody reaches."""
    await session.delete(seal)
    await session.flush()


async def forget_unnamed(session: AsyncSession, *, now: datetime) -> None:
    """Those of drafts that took other content, once their bytes may be swept too."""
    await enter_as_worker(session, now)
    await store.remove_unnamed(session, now - KEPT_UNNAMED)


async def named(session: AsyncSession, *, stored: Sequence[str], now: datetime) -> set[str]:
    """Which of these stored bytes are named, whoever's the record; for the archive's own work."""
    await enter_as_worker(session, now)
    return await store.named(session, stored)


async def still_plain(
    session: AsyncSession, keys: ClassKeys, *, now: datetime
) -> Sequence[tuple[Stored, SecurityClass]]:
    """A pass of contents that came before their class had a key."""
    await enter_as_worker(session, now)
    classes = [one for one in SEALED_CLASSES if keys.current(one) is not None]
    rows = await store.plain_above_public(session, classes, A_PASS)
    return [(Stored(row.sha256, row.bytes), row.security_class) for row in rows]


async def wrap_anew(session: AsyncSession, keys: ClassKeys) -> int:
    """Puts a pass of data keys under the current keys of their classes; answers how many.

    Raises: KeyUnknown, SealBroken.
    """
    done = 0
    for security_class in SEALED_CLASSES:
        current = keys.current(security_class)
        if current is None:
            continue
        for seal in await store.under_other_keys(session, security_class, current, A_PASS):
            old = Wrapped(seal.key_id, seal.wrapped_key)
            key = keys.unwrap(security_class, seal.sha256, old)
            new = keys.wrap(security_class, seal.sha256, key)
            seal.key_id, seal.wrapped_key = new.key_id, new.box
            done += 1
    await session.flush()
    return done
