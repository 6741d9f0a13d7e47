"""SQL of preservation; asked by the archive's own worker, for every record."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.preservation.model import PreservedVersion

# Each table with the rows that belong to one record, in the order in which they are made anew.
# A signature's next try and its last problem are the worker's, not the record's.
ROWS: Mapping[str, str] = {
    "file_unit": "t.id = (SELECT file_unit_id FROM record WHERE id = :id)",
    "record": "t.id = :id",
    "record_retention": "t.record_id = :id",
    "retention_event": "t.record_id = :id",
    "record_need": "t.record_id = :id",
    "record_relation": "t.record_id = :id",
    "legal_hold": "t.id IN (SELECT hold_id FROM legal_hold_record WHERE record_id = :id)",
    "legal_hold_record": "t.record_id = :id",
    "disposal": "t.id IN (SELECT disposal_id FROM custody WHERE record_id = :id"
    " UNION ALL SELECT disposal_id FROM tombstone WHERE record_id = :id)",
    "custody": "t.record_id = :id",
    "tombstone": "t.record_id = :id",
    "imported": "t.record_id = :id",
    "signature": "t.record_id = :id",
    "signature_revision": "t.record_id = :id",
}
PASSING = {"signature": ("due_at", "tries", "problem")}


def _rows(table: str, where: str) -> str:
    row = "to_jsonb(t)" + "".join(f" - '{name}'" for name in PASSING.get(table, ()))
    some = f"(SELECT jsonb_agg({row} ORDER BY to_jsonb(t)::text) FROM {table} t WHERE {where})"  # noqa: S608 - constants
    return f"'{table}', coalesce({some}, '[]')"


_DOCUMENT = text(
    "SELECT jsonb_build_object(" + ", ".join(_rows(*one) for one in ROWS.items()) + ")::text"
)


async def document(session: AsyncSession, record_id: UUID) -> str:
    """All that is known of a record, as JSON: rows by table."""
    return str(await session.scalar(_DOCUMENT, {"id": record_id}))


async def waiting(session: AsyncSession, before: datetime, limit: int) -> Sequence[UUID]:
    """Records whose object was not compared since `before`; new ones first. Held for this pass."""
    found = await session.scalars(
        text("""
            SELECT record_id FROM preserved_record WHERE looked_at < :before
            ORDER BY looked_at, record_id LIMIT :limit
        """),
        {"before": before, "limit": limit},
    )
    return found.all()


async def looked_at(session: AsyncSession, record_id: UUID, at: datetime) -> None:
    await session.execute(
        text("UPDATE preserved_record SET looked_at = :at WHERE record_id = :id"),
        {"id": record_id, "at": at},
    )


async def contents(session: AsyncSession, record_id: UUID) -> Sequence[Any]:
    """Rows of place, digest, bytes: the declared content is place 1; none of a buried record."""
    rows = await session.execute(
        text("""
            SELECT 1 AS place, r.content_sha256 AS sha256, r.content_bytes AS bytes,
              r.security_class FROM record r WHERE r.id = :id
              AND NOT EXISTS (SELECT 1 FROM tombstone t WHERE t.record_id = r.id)
            UNION ALL
            SELECT v.place, v.content_sha256, v.content_bytes, r.security_class
            FROM signature_revision v JOIN record r ON r.id = v.record_id
            WHERE r.id = :id AND v.place > 1
              AND NOT EXISTS (SELECT 1 FROM tombstone t WHERE t.record_id = r.id)
            ORDER BY 1
        """),
        {"id": record_id},
    )
    return rows.all()


async def class_of(session: AsyncSession, record_id: UUID) -> Any:
    return await session.scalar(
        text("SELECT security_class FROM record WHERE id = :id"), {"id": record_id}
    )


async def last(session: AsyncSession, record_id: UUID) -> PreservedVersion | None:
    found = await versions(session, record_id)
    return found[-1] if found else None


async def versions(session: AsyncSession, record_id: UUID) -> Sequence[PreservedVersion]:
    query = select(PreservedVersion).where(PreservedVersion.record_id == record_id)
    return (await session.scalars(query.order_by(PreservedVersion.version))).all()


async def add(session: AsyncSession, version: PreservedVersion) -> None:
    await session.merge(version)
    await session.flush()


async def forget(session: AsyncSession, record_id: UUID) -> None:
    """Its object is gone: what stays of the record is written anew."""
    names = {"id": record_id}
    await session.execute(text("DELETE FROM preserved_version WHERE record_id = :id"), names)
    await session.execute(
        text("UPDATE preserved_record SET looked_at = '-infinity' WHERE record_id = :id"), names
    )


async def make_anew(session: AsyncSession, table: str, rows: str) -> int:
    """Inserts rows of a document; those that are there stay. Answers how many were new."""
    fresh = {"signature": """ || '{"due_at": "-infinity", "tries": 0}'"""}.get(table, "")
    done = await session.execute(
        text(f"""
            INSERT INTO {table} SELECT one.*
            FROM jsonb_array_elements(CAST(:rows AS jsonb)) AS a (r),
              jsonb_populate_record(CAST(NULL AS public.{table}), a.r{fresh}) AS one
            ON CONFLICT DO NOTHING RETURNING 1
        """),  # noqa: S608 - table is one of ROWS
        {"rows": rows},
    )
    return len(done.all())
