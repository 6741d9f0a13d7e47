"""SQL of event types. They are public (a schema names no person), so every reader sees all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sebalai_shared.caller import Caller
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_exchange.locks import hold_name

_READ = """
    SELECT t.*, v.minor, v.schema, v.schema_sha256, v.examples::text AS examples
    FROM topic t
    JOIN LATERAL (SELECT * FROM topic_version v WHERE v.type = t.type
                  ORDER BY minor DESC LIMIT 1) v ON true
"""


@dataclass(frozen=True)
class Topic:
    """An event type at its newest minor version."""

    type: str
    owner: str
    application: str | None
    interface: str | None
    title: str
    description: str
    access: str
    data_categories: list[str]
    retention_days: int
    state: str
    successor: str | None
    retires_at: datetime | None
    minor: int
    schema: dict[str, Any]
    schema_sha256: str
    examples: list[Any]
    created_at: datetime
    changed_at: datetime


def _topic(row: Mapping[str, Any]) -> Topic:
    fields = {name: row[name] for name in Topic.__dataclass_fields__}
    fields["schema"] = orjson.loads(row["schema"])
    fields["examples"] = orjson.loads(row["examples"])
    return Topic(**fields)


def visible_to(_: Caller) -> str:
    return _READ


async def find(session: AsyncSession, caller: Caller, kind: str) -> Topic | None:
    query = text(f"{visible_to(caller)} WHERE t.type = :type")
    row = (await session.execute(query, {"type": kind})).mappings().one_or_none()
    return _topic(dict(row)) if row else None


async def lock(session: AsyncSession, kind: str) -> Topic | None:
    await hold_name(session, "topic", kind)
    query = text(f"{_READ} WHERE t.type = :type FOR UPDATE OF t")
    row = (await session.execute(query, {"type": kind})).mappings().one_or_none()
    return _topic(dict(row)) if row else None


async def page(
    session: AsyncSession, caller: Caller, owner: str | None, after: str | None, limit: int
) -> Sequence[Topic]:
    """Up to `limit + 1` types by name."""
    query = text(
        f"{visible_to(caller)} WHERE t.type > :after AND (CAST(:owner AS text) IS NULL "
        "OR t.owner = :owner) ORDER BY t.type LIMIT :limit"
    )
    names = {"after": after or "", "owner": owner, "limit": limit + 1}
    return [_topic(dict(row)) for row in (await session.execute(query, names)).mappings()]


_KEEP: TextClause = text(
    """
    INSERT INTO topic (type, owner, application, interface, title, description, access,
      data_categories, retention_days, state, created_at, changed_at)
    VALUES (:type, :owner, :application, :interface, :title, :description, :access,
      :data_categories, :retention_days, 'active', :now, :now)
    ON CONFLICT (type) DO UPDATE SET interface = excluded.interface, title = excluded.title,
      description = excluded.description, access = excluded.access,
      data_categories = excluded.data_categories, retention_days = excluded.retention_days,
      changed_at = excluded.changed_at
    """
)


async def keep(session: AsyncSession, fields: Mapping[str, Any]) -> None:
    await session.execute(_KEEP, dict(fields))


async def add_version(session: AsyncSession, fields: Mapping[str, Any]) -> None:
    await session.execute(
        text(
            "INSERT INTO topic_version (type, minor, schema, schema_sha256, examples, "
            "published_by, published_at) VALUES (:type, :minor, :schema, :schema_sha256, "
            "CAST(:examples AS jsonb), :by, :now)"
        ),
        dict(fields),
    )


async def versions(session: AsyncSession, kind: str) -> Sequence[Mapping[str, Any]]:
    query = text(
        "SELECT minor, schema, schema_sha256, examples::text AS examples, published_at "
        "FROM topic_version WHERE type = :type ORDER BY minor"
    )
    return [dict(row) for row in (await session.execute(query, {"type": kind})).mappings()]


async def deprecate(
    session: AsyncSession, kind: str, successor: str, retires_at: datetime, now: datetime
) -> None:
    await session.execute(
        text(
            "UPDATE topic SET state = 'deprecated', successor = :successor, "
            "retires_at = :retires_at, changed_at = :now WHERE type = :type"
        ),
        {"type": kind, "successor": successor, "retires_at": retires_at, "now": now},
    )


async def retire(session: AsyncSession, kind: str, now: datetime) -> None:
    await session.execute(
        text(
            "UPDATE topic SET state = 'retired', retires_at = :now, changed_at = :now "
            "WHERE type = :type"
        ),
        {"type": kind, "now": now},
    )


async def of_application(
    session: AsyncSession, caller: Caller, application: str
) -> Sequence[Topic]:
    query = text(f"{visible_to(caller)} WHERE t.application = :app ORDER BY t.type LIMIT 1000")
    rows = (await session.execute(query, {"app": application})).mappings()
    return [_topic(dict(row)) for row in rows]


async def describe(session: AsyncSession, kind: str, description: str, now: datetime) -> None:
    await session.execute(
        text("UPDATE topic SET description = :told, changed_at = :now WHERE type = :type"),
        {"type": kind, "told": description, "now": now},
    )


async def routing(session: AsyncSession) -> Sequence[Mapping[str, Any]]:
    """What dispatch needs of each type."""
    query = text("SELECT type, access, interface, application, retention_days FROM topic")
    return [dict(row) for row in (await session.execute(query)).mappings()]


async def note_platform_type(session: AsyncSession, fields: Mapping[str, Any]) -> None:
    """A type of the platform that nobody described here yet, as soon as it is heard of."""
    done = await session.execute(
        text(
            "INSERT INTO topic (type, owner, title, description, access, data_categories, "
            "retention_days, state, created_at, changed_at) VALUES (:type, :owner, :title, "
            ":description, :access, '{}', 365, 'active', :now, :now) ON CONFLICT DO NOTHING "
            "RETURNING type"
        ),
        dict(fields),
    )
    if done.scalar() is not None:
        await add_version(session, fields)
