"""SQL of the official lists: an agency's own records, of them what the reader may know.

The transaction is entered as the reader, so row security holds the same wall once more.
"""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Date,
    DateTime,
    Select,
    Text,
    Uuid,
    and_,
    column,
    exists,
    func,
    or_,
    select,
    table,
)
from sqlalchemy.dialects.postgresql import ARRAY, INTEGER
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.lists.kinds import ACTS, Kind

Query = Select[*tuple[Any, ...]]
BATCH_ROWS = 500
DECLARED = "declared"
INSTITUTION = "archive_institution"

PROPOSAL = table(
    "proposal",
    column("record_id", Uuid), column("act", Text), column("approver", Text),
    column("proposed_at", DateTime(timezone=True)),
)  # fmt: skip
CUSTODY = table("custody", column("record_id", Uuid), column("place", Text))
TOMBSTONE = table("tombstone", column("record_id", Uuid))
RETENTION = table(
    "record_retention",
    column("record_id", Uuid), column("active_years", INTEGER), column("inactive_years", INTEGER),
    column("final_disposition", Text), column("exception", Text),
    column("active_until", Date), column("inactive_until", Date),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """`classification` is a code with all below it; `known` the wall of who reads."""

    kind: Kind
    agency: str
    today: date
    known: ColumnElement[bool]
    classification: str | None = None
    file_unit: UUID | None = None


async def batches(session: AsyncSession, query: Query) -> AsyncGenerator[Sequence[Any]]:
    """Rows by a cursor of the server: memory holds one batch."""
    found = await session.stream(query.execution_options(yield_per=BATCH_ROWS))
    async for some in found.partitions():
        yield some


def records(asked: Asked, record: Any, unit: Any) -> Query:
    """In the order of the classification; `record` and `unit` are the mapped tables."""
    r, q = record, RETENTION.c
    query = (
        select(
            r.id, r.number, r.classification_code, r.title, r.description, r.dated,
            r.development_level, r.medium, r.condition, r.unit, r.location, r.security_class,
            r.protection, unit.number.label("file_number"), q.active_years, q.inactive_years,
            q.final_disposition, q.exception, q.active_until, q.inactive_until,
            PROPOSAL.c.approver, PROPOSAL.c.proposed_at,
        )
        .outerjoin(RETENTION, q.record_id == r.id)
        .outerjoin(unit, unit.id == r.file_unit_id)
        .outerjoin(PROPOSAL, PROPOSAL.c.record_id == r.id)
        .where(r.agency == asked.agency, r.state == DECLARED, asked.known, _of(asked, r))
    )  # fmt: skip
    if asked.classification is not None:
        query = query.where(_below(r.classification_code, asked.classification))
    if asked.file_unit is not None:
        query = query.where(r.file_unit_id == asked.file_unit)
    first = [unit.number] if asked.kind == "file-unit-contents" else []
    return query.order_by(*first, _natural(r.classification_code), r.dated, r.id)


def file_units(asked: Asked, record: Any, unit: Any) -> Query:
    """Their amounts and years are of what the reader may know."""
    inside = and_(record.file_unit_id == unit.id, record.state == DECLARED, asked.known)
    counted = (
        select(
            func.count().label("amount"),
            func.min(record.dated).label("first"),
            func.max(record.dated).label("last"),
        )
        .where(inside)
        .lateral("counted")
    )
    query = select(unit, counted.c.amount, counted.c.first, counted.c.last).join(
        counted, counted.c.amount >= 0
    )
    if asked.classification is not None:
        query = query.where(_below(unit.classification_code, asked.classification))
    return query.where(unit.agency == asked.agency).order_by(
        _natural(unit.classification_code), unit.number, unit.id
    )


def _of(asked: Asked, r: Any) -> ColumnElement[bool]:
    gone = exists().where(TOMBSTONE.c.record_id == r.id)
    left = exists().where(CUSTODY.c.record_id == r.id, CUSTODY.c.place == INSTITUTION)
    q, kind = RETENTION.c, asked.kind
    if kind == "destroyed":
        return gone
    if kind == "handed-over":
        return left
    if kind == "file-unit-contents":
        return and_(~gone, r.file_unit_id.is_not(None))
    if kind in {"vital", "terjaga"}:
        return and_(~gone, ~left, r.protection == kind)
    if kind in ACTS:
        return and_(~gone, ~left, PROPOSAL.c.act == ACTS[kind])
    is_over = q.active_until <= asked.today
    stage = is_over if kind == "inactive" else or_(q.active_until.is_(None), ~is_over)
    return and_(~gone, ~left, stage)


def _below(code: Any, wanted: str) -> ColumnElement[bool]:
    return or_(code == wanted, code.startswith(f"{wanted}.", autoescape=True))


def _natural(code: Any) -> ColumnElement[Any]:
    return func.string_to_array(code, ".").cast(ARRAY(INTEGER))
