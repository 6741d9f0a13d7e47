"""SQL of the retention schedule; it is public law, so everybody sees all of it."""

from collections.abc import Sequence
from datetime import date

from sebalai_shared.caller import Caller
from sqlalchemy import Select, func, select
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.codes import ancestors_of, path_of
from sebalai_archive.retention.model import RetentionRule

CHANGING = (
    "series",
    "active_years",
    "inactive_years",
    "final_disposition",
    "security_class",
    "exception",
    "provenance_status",
    "provenance_source",
)


def visible_to(caller: Caller) -> Select[RetentionRule]:  # noqa: ARG001 - public
    return select(RetentionRule)


async def page(
    session: AsyncSession, caller: Caller, today: date, after: str | None, limit: int
) -> Sequence[RetentionRule]:
    """The version of each rule that holds today."""
    query = (
        visible_to(caller)
        .ext(distinct_on(RetentionRule.path))
        .where(RetentionRule.valid_from <= today)
        .order_by(RetentionRule.path, RetentionRule.version.desc())
        .limit(limit + 1)
    )
    if after is not None:
        query = query.where(RetentionRule.path > path_of(after))
    return (await session.scalars(query)).all()


async def nearest(
    session: AsyncSession, caller: Caller, code: str, today: date
) -> RetentionRule | None:
    """The rule of the code itself, or else of the nearest code above it, in today's version."""
    query = visible_to(caller).where(
        RetentionRule.classification_code.in_(ancestors_of(code)),
        RetentionRule.valid_from <= today,
    )
    return await session.scalar(
        query.order_by(
            func.cardinality(RetentionRule.path).desc(), RetentionRule.version.desc()
        ).limit(1)
    )


async def versions(session: AsyncSession, caller: Caller, code: str) -> Sequence[RetentionRule]:
    query = visible_to(caller).where(RetentionRule.classification_code == code)
    return (await session.scalars(query.order_by(RetentionRule.version))).all()


async def unapplied(session: AsyncSession, today: date) -> Sequence[RetentionRule]:
    """Versions that hold by now and were not yet laid over the records below their code."""
    query = select(RetentionRule).where(
        RetentionRule.applied_at.is_(None), RetentionRule.valid_from <= today
    )
    return (await session.scalars(query.order_by(RetentionRule.valid_from))).all()


async def keep(session: AsyncSession, rows: Sequence[dict[str, object]]) -> None:
    query = insert(RetentionRule)
    changed = {name: query.excluded[name] for name in CHANGING}
    await session.execute(
        query.on_conflict_do_update(
            index_elements=["classification_code", "version"], set_=changed
        ),
        rows,
    )
