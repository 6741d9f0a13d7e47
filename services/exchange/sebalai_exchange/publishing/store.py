"""SQL of the event store: acceptance, duplicates, the log by position."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, cast
from uuid import UUID

import orjson
from sebalai_shared.clock import to_text
from sqlalchemy import CursorResult, TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

_COLUMNS = (
    "event_id, source, id, type, key, publisher, parties, retention_days, document, stored_at"
)


@dataclass(frozen=True, slots=True)
class Accepted:
    """An event as it is about to be stored."""

    event_id: UUID
    source: str
    id: str
    type: str
    key: str | None
    publisher: str
    parties: list[str]
    retention_days: int
    document: str
    digest: bytes
    stored_at: datetime


@dataclass(frozen=True)
class Stored:
    """An event of the log; `pos` is dense and rising: the one order of the bus."""

    pos: int
    event_id: UUID
    source: str
    id: str
    type: str
    key: str | None
    publisher: str
    parties: tuple[str, ...]
    document: str
    stored_at: datetime

    @cached_property
    def attributes(self) -> Mapping[str, Any]:
        """What filters look at, read once however many look: never the data."""
        fields: dict[str, Any] = orjson.loads(self.document)
        fields.pop("data", None)
        return fields | self.added

    @property
    def added(self) -> dict[str, str]:
        """The attributes that are the bus's own to set."""
        return {
            "position": f"{self.pos:020d}",
            "publisher": self.publisher,
            "recordedtime": to_text(self.stored_at),
        }


@dataclass(frozen=True)
class Seen:
    event_id: UUID
    digest: bytes
    stored_at: datetime


_SEE = text(
    """
    INSERT INTO event_seen (publisher, source, id, digest, event_id, stored_at, kept_until)
    SELECT publisher, source, id, d, e, t, t + make_interval(days => kept)
    FROM unnest(CAST(:publishers AS text[]), CAST(:sources AS text[]), CAST(:ids AS text[]),
      CAST(:digests AS bytea[]), CAST(:event_ids AS uuid[]), CAST(:times AS timestamptz[]),
      CAST(:kept AS integer[]))
      AS n(publisher, source, id, d, e, t, kept)
    ORDER BY publisher, source, id
    ON CONFLICT DO NOTHING RETURNING event_id
    """
)
_ADD = text(
    f"""
    INSERT INTO event_new ({_COLUMNS})
    VALUES (:event_id, :source, :id, :type, :key, :publisher, :parties, :retention_days,
      :document, :stored_at)
    """  # noqa: S608 - made of constants
)
_OUTBOX = text(
    "INSERT INTO outbox (id, type, document) VALUES (:event_id, :type, "
    "CAST(:document AS jsonb) || jsonb_build_object('publisher', CAST(:publisher AS text)))"
)


async def see(session: AsyncSession, events: Sequence[Accepted]) -> set[UUID]:
    """The ids of events whose publisher stored none before under their source and id.

    In one order for everybody, so that two batches cannot wait for each other; a second writer
    of the same pair waits here until the first has committed.
    """
    names = {
        "publishers": [event.publisher for event in events],
        "sources": [event.source for event in events],
        "ids": [event.id for event in events],
        "digests": [event.digest for event in events],
        "event_ids": [event.event_id for event in events],
        "times": [event.stored_at for event in events],
        "kept": [event.retention_days for event in events],
    }
    return set((await session.scalars(_SEE, names)).all())


async def add(session: AsyncSession, events: Sequence[Accepted]) -> None:
    await _each(session, _ADD, events)


async def add_to_outbox(session: AsyncSession, events: Sequence[Accepted]) -> None:
    """For those who read the stream: the relay carries it as it carries the platform's facts."""
    await _each(session, _OUTBOX, events)


async def _each(session: AsyncSession, statement: TextClause, events: Sequence[Accepted]) -> None:
    names = Accepted.__dataclass_fields__
    rows = [{name: getattr(event, name) for name in names} for event in events]
    if rows:
        await session.execute(statement, rows)


async def forget_seen(session: AsyncSession, now: datetime, limit: int) -> int:
    """Up to `limit` of those whose event's own time is over; answers how many."""
    gone = await session.execute(
        text(
            "DELETE FROM event_seen WHERE ctid = ANY(ARRAY(SELECT ctid FROM event_seen "
            "WHERE kept_until <= :now ORDER BY kept_until LIMIT :limit))"
        ),
        {"now": now, "limit": limit},
    )
    return cast("CursorResult[Any]", gone).rowcount


async def seen(session: AsyncSession, event: Accepted) -> Seen:
    """What its publisher stored under the event's source and id."""
    query = text(
        "SELECT event_id, digest, stored_at FROM event_seen "
        "WHERE publisher = :publisher AND source = :source AND id = :id"
    )
    names = {"publisher": event.publisher, "source": event.source, "id": event.id}
    row = (await session.execute(query, names)).one()
    return Seen(row.event_id, bytes(row.digest), row.stored_at)


def stored(row: Mapping[str, Any]) -> Stored:
    fields = {name: row[name] for name in Stored.__dataclass_fields__}
    fields["parties"] = tuple(fields["parties"])
    return Stored(**fields)


_FIELDS = "pos, event_id, source, id, type, key, publisher, parties, document, stored_at"
_AFTER = text(
    f"SELECT {_FIELDS} FROM event WHERE pos > :after "  # noqa: S608
    "AND (CAST(:kinds AS text[]) IS NULL OR type = ANY(CAST(:kinds AS text[]))) "
    "ORDER BY pos LIMIT :limit"
)


async def after(
    session: AsyncSession, position: int, limit: int, kinds: Sequence[str] | None
) -> Sequence[Stored]:
    """Events behind a position, in every partition: two hosts' clocks may differ, so the time at
    which one was stored says nothing about those behind it.
    """
    names = {
        "after": position,
        "kinds": None if kinds is None else list(kinds),
        "limit": limit,
    }
    return [stored(dict(row)) for row in (await session.execute(_AFTER, names)).mappings()]


async def at(session: AsyncSession, positions: Sequence[int]) -> Sequence[Stored]:
    query = text(f"SELECT {_FIELDS} FROM event WHERE pos = ANY(:positions) ORDER BY pos")  # noqa: S608
    found = await session.execute(query, {"positions": list(positions)})
    return [stored(dict(row)) for row in found.mappings()]


async def by_event_id(session: AsyncSession, event_id: UUID) -> Stored | None:
    """Also one that the sequencer has not numbered yet, as position 0."""
    query = text(
        f"""
        SELECT {_FIELDS} FROM event WHERE event_id = :event_id UNION ALL
        SELECT 0 AS {_FIELDS} FROM event_new WHERE event_id = :event_id LIMIT 1
        """  # noqa: S608 - made of constants
    )
    row = (await session.execute(query, {"event_id": event_id})).mappings().one_or_none()
    return stored(dict(row)) if row else None


async def head(session: AsyncSession) -> int:
    return int(await session.scalar(text("SELECT pos FROM event_head")) or 0)


async def position_at(session: AsyncSession, time: datetime) -> int:
    """The position just before the first event stored at `time` or later."""
    query = text("SELECT min(pos) - 1 FROM event WHERE stored_at >= :time")
    found = await session.scalar(query, {"time": time})
    return int(found) if found is not None else await head(session)
