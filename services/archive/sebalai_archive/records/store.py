"""SQL of records. Every read begins at `visible_to`; what a reader may not know does not exist."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    DateTime,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    cast,
    exists,
    false,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.reader import Reader
from sebalai_archive.records.model import (
    DECLARED,
    Loan,
    Record,
    RecordNeed,
    RecordRelation,
    Tombstone,
)

# To put these conditions together costs more than to ask the database, so those of the same reader
# are kept; its time, which never comes twice, is read from the transaction (`reader.enter`).
READERS_KEPT = 1_024
NEVER = datetime.max.replace(tzinfo=UTC)
_NOW = cast(func.current_setting("archive.now"), DateTime(timezone=True))


def visible_to(reader: Reader) -> Select[Record]:
    return _visible_to(_timeless(reader))


def known_to(reader: Reader) -> ColumnElement[bool]:
    """`access.may_know` as a condition on `record`, in a transaction entered as that reader."""
    return _known_to(_timeless(reader))


def open_to(reader: Reader) -> ColumnElement[bool]:
    """`access.grounds_to_open` as a condition on `record`, likewise."""
    return _open_to(_timeless(reader))


def _timeless(reader: Reader) -> Reader:
    return replace(reader, now=NEVER)


@lru_cache(READERS_KEPT)
def _visible_to(reader: Reader) -> Select[Record]:
    return select(Record).where(_known_to(reader))


@lru_cache(READERS_KEPT)
def _locking(reader: Reader) -> Select[Record]:
    query = _visible_to(reader).where(Record.id == bindparam("record_id"))
    return query.with_for_update(of=Record)


@lru_cache(READERS_KEPT)
def _locking_free(reader: Reader) -> Select[Record]:
    query = _visible_to(reader).where(Record.id == func.any(bindparam("ids", type_=ARRAY(Uuid))))
    return query.order_by(Record.id).with_for_update(of=Record, skip_locked=True)


@lru_cache(READERS_KEPT)
def _same_content(reader: Reader) -> Select[str, UUID]:
    """For each digest the first records of it."""
    digests = func.unnest(bindparam("digests", type_=ARRAY(Text)))
    given = digests.table_valued("sha256").render_derived()
    same = (
        select(Record.id)
        .where(_known_to(reader), Record.content_sha256 == given.c.sha256)
        .order_by(Record.id)
        .limit(bindparam("most"))
        .lateral()
    )
    return select(given.c.sha256, same.c.id).join(same, true())


@lru_cache(READERS_KEPT)
def _known_to(reader: Reader) -> ColumnElement[bool]:
    is_own = Record.agency == reader.agency
    opened = _open_to(reader)
    return or_(opened, is_own) if reader.is_archivist and reader.agency else opened


@lru_cache(READERS_KEPT)
def _open_to(reader: Reader) -> ColumnElement[bool]:
    if reader.rank == "worker":
        return true()
    declared = Record.state == DECLARED
    low = Record.security_class.in_(("biasa", "terbatas"))
    found: list[ColumnElement[bool]] = [and_(declared, Record.security_class == "biasa")]
    if reader.rank == "operator":
        return or_(low, *found)
    if reader.rank == "policy_maker" or reader.assignment is not None:
        found.append(declared)
    if reader.agency:
        found += [and_(Record.agency == reader.agency, _own(reader, low)), _needed(reader)]
    return or_(*found)


def _own(reader: Reader, low: ColumnElement[bool]) -> ColumnElement[bool]:
    limited = Record.security_class == "terbatas"
    found: list[ColumnElement[bool]] = [Record.security_class == "biasa"]
    if reader.subject:
        made = Record.subject == reader.subject
        is_trusted = reader.rank in {"system", "policy_maker", "head"}
        found.append(made if is_trusted else and_(made, low))
    if reader.rank == "head":
        found.append(Record.security_class != "sangat_rahasia")
    elif reader.rank == "system" or reader.is_archivist:
        found.append(limited)
    elif reader.rank == "administrator" and reader.unit is not None:
        found.append(and_(limited, Record.unit == reader.unit))
    return or_(*found)


def _needed(reader: Reader) -> ColumnElement[bool]:
    if reader.rank == "public":
        return false()
    given = and_(
        RecordNeed.record_id == Record.id,
        RecordNeed.agency == reader.agency,
        or_(RecordNeed.subject.is_(None), RecordNeed.subject == reader.subject),
        RecordNeed.valid_from <= _NOW,
        or_(RecordNeed.valid_until.is_(None), RecordNeed.valid_until > _NOW),
    )
    declared = Record.state == DECLARED
    if reader.rank == "external":
        return and_(declared, exists().where(given, RecordNeed.kind == "case"))
    opened = ["terbatas"]
    if reader.rank in {"system", "head", "administrator"}:
        opened.append("rahasia")
    by_class = and_(Record.security_class.in_(opened), exists().where(given))
    if reader.rank != "head":
        return and_(declared, by_class)
    top = and_(
        Record.security_class == "sangat_rahasia",
        Record.agency == reader.agency,
        exists().where(given, RecordNeed.kind == "addressee"),
    )
    return and_(declared, or_(by_class, top))


async def page(
    session: AsyncSession, reader: Reader, state: str | None, after: UUID | None, limit: int
) -> Sequence[Record]:
    """Up to `limit + 1` records, the newest first (ids are ordered by time)."""
    query = visible_to(reader).order_by(Record.id.desc()).limit(limit + 1)
    if state is not None:
        query = query.where(Record.state == state)
    if after is not None:
        query = query.where(Record.id < after)
    return (await session.scalars(query)).all()


async def find(session: AsyncSession, reader: Reader, record_id: UUID) -> Record | None:
    return await session.scalar(visible_to(reader).where(Record.id == record_id))


async def lock(session: AsyncSession, reader: Reader, record_id: UUID) -> Record | None:
    """The record, held against a declaration or an upload at the same moment."""
    return await session.scalar(_locking(_timeless(reader)), {"record_id": record_id})


async def lock_free(session: AsyncSession, reader: Reader, ids: Sequence[UUID]) -> Sequence[Record]:
    """Those of them that nobody else holds at the moment."""
    return (await session.scalars(_locking_free(_timeless(reader)), {"ids": list(ids)})).all()


async def same_content(
    session: AsyncSession, reader: Reader, records: Sequence[Record], limit: int
) -> dict[UUID, list[UUID]]:
    """Other records of equal bytes that the reader may know, for each record up to `limit`."""
    digests = {one.content_sha256 for one in records if one.content_sha256 is not None}
    names = {"digests": sorted(digests), "most": limit + 1}
    found = defaultdict[str, list[UUID]](list)
    for sha256, record_id in await session.execute(_same_content(_timeless(reader)), names):
        found[sha256].append(record_id)
    return {
        one.id: [other for other in found[one.content_sha256 or ""] if other != one.id][:limit]
        for one in records
    }


async def open_in_file(
    session: AsyncSession, reader: Reader, file_id: UUID, limit: int
) -> Sequence[Record]:
    """Up to `limit + 1` declared, not destroyed records of a file unit that the reader may open."""
    buried = exists().where(Tombstone.record_id == Record.id)
    query = select(Record).where(
        open_to(reader), Record.file_unit_id == file_id, Record.state == DECLARED, ~buried
    )
    return (await session.scalars(query.order_by(Record.id).limit(limit + 1))).all()


async def needs_of(session: AsyncSession, reader: Reader, record_id: UUID) -> Sequence[str]:
    """Kinds of need given to this reader for the record, valid now."""
    return (
        await session.scalars(
            select(RecordNeed.kind)
            .where(
                RecordNeed.record_id == record_id,
                RecordNeed.agency == reader.agency,
                or_(RecordNeed.subject.is_(None), RecordNeed.subject == reader.subject),
                RecordNeed.valid_from <= reader.now,
                or_(RecordNeed.valid_until.is_(None), RecordNeed.valid_until > reader.now),
            )
            .distinct()
        )
    ).all()


async def relations(
    session: AsyncSession, reader: Reader, record_id: UUID, limit: int
) -> Sequence[RecordRelation]:
    """Relations of the record whose other end the reader may know as well."""
    query = (
        select(RecordRelation)
        .join(Record, Record.id == RecordRelation.other_id)
        .where(RecordRelation.record_id == record_id, known_to(reader))
    )
    return (await session.scalars(query.limit(limit))).all()


async def open_loan(session: AsyncSession, record_id: UUID) -> Loan | None:
    return await session.scalar(
        select(Loan).where(Loan.record_id == record_id, Loan.returned_at.is_(None))
    )


async def count(session: AsyncSession, reader: Reader, ceiling: int) -> int:
    """How many records the reader may know; counting stops at `ceiling`."""
    some = visible_to(reader).with_only_columns(Record.id).limit(ceiling)
    return await session.scalar(select(func.count()).select_from(some.subquery())) or 0


async def tombstone_of(session: AsyncSession, record_id: UUID) -> Tombstone | None:
    return await session.get(Tombstone, record_id)


async def lock_all(session: AsyncSession, ids: Sequence[UUID]) -> Sequence[Record]:
    """In id order, so that two disposals never wait for one another."""
    query = select(Record).where(Record.id.in_(ids)).order_by(Record.id)
    return (await session.scalars(query.with_for_update(of=Record))).all()


async def lent_among(session: AsyncSession, ids: Sequence[UUID]) -> set[UUID]:
    query = select(Loan.record_id).where(Loan.record_id.in_(ids), Loan.returned_at.is_(None))
    return set(await session.scalars(query))


async def unerased(session: AsyncSession, limit: int) -> Sequence[Tombstone]:
    query = select(Tombstone).where(Tombstone.erased_at.is_(None)).order_by(Tombstone.record_id)
    return (await session.scalars(query.limit(limit).with_for_update(skip_locked=True))).all()
