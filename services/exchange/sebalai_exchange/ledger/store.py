"""SQL of the ledger for readers and for what arrives. Numbering belongs to the sequencer."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_exchange.ledger.entry import Entry

BELL = "ledger"

_INSERT = text(
    """
    INSERT INTO ledger_entry
      (id, log, kind, payload, salt, leaf, consumer, provider, agency)
    SELECT * FROM unnest(
      CAST(:id AS uuid[]), CAST(:log AS text[]), CAST(:kind AS text[]), CAST(:payload AS text[]),
      CAST(:salt AS bytea[]), CAST(:leaf AS text[]), CAST(:consumer AS text[]),
      CAST(:provider AS text[]), CAST(:agency AS text[]))
    ON CONFLICT (id) DO NOTHING
    """
)
_COLUMNS = ("id", "log", "kind", "payload", "salt", "leaf", "consumer", "provider", "agency")


async def add_entries(session: AsyncSession, entries: Sequence[Entry]) -> None:
    """Adds those not there yet, and rings the sequencer when the transaction commits."""
    await session.execute(
        text(
            "INSERT INTO ledger_log (name) SELECT unnest(CAST(:names AS text[])) "
            "ON CONFLICT DO NOTHING"
        ),
        {"names": sorted({entry.log for entry in entries})},
    )
    columns = {name: [getattr(entry, name) for entry in entries] for name in _COLUMNS}
    await session.execute(_INSERT, columns)
    await session.execute(text("SELECT pg_notify(:bell, '')"), {"bell": BELL})


async def set_aside(session: AsyncSession, row: dict[str, Any]) -> None:
    """Keeps what could not become an entry, with the reason, where dead messages lie."""
    await session.execute(
        text(
            "INSERT INTO dead_message (consumer, message_id, subject, reason, tries, payload) "
            "VALUES (:consumer, :message_id, :subject, :reason, 1, :payload) "
            "ON CONFLICT DO NOTHING"
        ),
        row,
    )


@dataclass(frozen=True)
class Log:
    name: str
    size: int
    verifier_key: str | None
    checkpoint: str | None


@dataclass(frozen=True)
class Found:
    """An entry with the state its log had in the same instant."""

    entry: Entry
    index: int | None
    log: Log


async def logs(session: AsyncSession) -> list[Log]:
    rows = await session.execute(
        text("SELECT name, size, verifier_key, checkpoint FROM ledger_log ORDER BY name")
    )
    return [Log(row.name, row.size, row.verifier_key, row.checkpoint) for row in rows]


async def log(session: AsyncSession, name: str) -> Log | None:
    rows = await session.execute(
        text("SELECT name, size, verifier_key, checkpoint FROM ledger_log WHERE name = :name"),
        {"name": name},
    )
    row = rows.one_or_none()
    if row is None:
        return None
    return Log(row.name, row.size, row.verifier_key, row.checkpoint)


async def find(session: AsyncSession, entry_id: UUID) -> Found | None:
    rows = await session.execute(
        text(
            """
            SELECT e.id, e.log, e.kind, e.payload, e.salt, e.leaf, e.consumer, e.provider,
                   e.agency, e.idx, l.size, l.verifier_key, l.checkpoint
            FROM ledger_entry e JOIN ledger_log l ON l.name = e.log WHERE e.id = :id
            """
        ),
        {"id": entry_id},
    )
    row = rows.one_or_none()
    if row is None:
        return None
    entry = Entry(**{name: getattr(row, name) for name in _COLUMNS})
    return Found(entry, row.idx, Log(row.log, row.size, row.verifier_key, row.checkpoint))


async def tiles(
    session: AsyncSession, name: str, wanted: Iterable[tuple[int, int]]
) -> dict[tuple[int, int], bytes]:
    places = sorted(wanted)
    rows = await session.execute(
        text(
            """
            SELECT t.level, t.number, t.hashes FROM ledger_tile t
            JOIN unnest(CAST(:levels AS smallint[]), CAST(:numbers AS bigint[]))
              AS w(level, number) USING (level, number)
            WHERE t.log = :log
            """
        ),
        {
            "log": name,
            "levels": [level for level, _ in places],
            "numbers": [number for _, number in places],
        },
    )
    return {(row.level, row.number): bytes(row.hashes) for row in rows}


async def leaves(session: AsyncSession, name: str, first: int, count: int) -> list[str]:
    rows = await session.scalars(
        text(
            "SELECT leaf FROM ledger_entry WHERE log = :log AND idx >= :first AND idx < :last "
            "ORDER BY idx"
        ),
        {"log": name, "first": first, "last": first + count},
    )
    return list(rows.all())
