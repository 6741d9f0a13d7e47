"""SQL of services. What is published is public; other states come with the service standards."""

from collections.abc import Sequence
from dataclasses import dataclass

from sebalai_shared.caller import Caller
from sqlalchemy import ColumnElement, Row, Select, or_, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.services.model import PUBLISHED, Service, ServiceVersion

LOAD_LOCK = 7_219_304_101

Published = Row[Service, ServiceVersion]


@dataclass(frozen=True)
class ServiceFilter:
    agency: str | None = None
    audience: str | None = None
    q: str | None = None


def visible_to(caller: Caller) -> Select[Service, ServiceVersion]:  # noqa: ARG001 - public
    """Published services with their current version."""
    return (
        select(Service, ServiceVersion)
        .join(
            ServiceVersion,
            (ServiceVersion.service_id == Service.id) & (ServiceVersion.version == Service.version),
        )
        .where(Service.state == PUBLISHED)
    )


async def page(
    session: AsyncSession,
    caller: Caller,
    wanted: ServiceFilter,
    after: tuple[str, str] | None,
    limit: int,
) -> Sequence[Published]:
    """Up to `limit + 1` services by Indonesian name; every word of `q` must occur somewhere."""
    order = (ServiceVersion.name_id, Service.slug)
    query = visible_to(caller).order_by(*order).limit(limit + 1)
    if after is not None:
        query = query.where(tuple_(*order) > tuple_(*after))
    if wanted.agency is not None:
        query = query.where(Service.agency == wanted.agency)
    if wanted.audience is not None:
        query = query.where(ServiceVersion.audiences.contains([wanted.audience]))
    for word in (wanted.q or "").split():
        query = query.where(_occurs(word))
    return (await session.execute(query)).all()


def _occurs(word: str) -> ColumnElement[bool]:
    columns = (
        ServiceVersion.name_id,
        ServiceVersion.name_en,
        ServiceVersion.summary_id,
        ServiceVersion.summary_en,
    )
    return or_(*(column.icontains(word, autoescape=True) for column in columns))


async def find(session: AsyncSession, caller: Caller, slug: str) -> Published | None:
    return (await session.execute(visible_to(caller).where(Service.slug == slug))).one_or_none()


async def hold_load(session: AsyncSession) -> None:
    """Two loads at once would both make the same version: the second waits."""
    await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOAD_LOCK})


async def current(session: AsyncSession) -> dict[str, tuple[Service, str]]:
    """Every service by slug, with the digest of its current version."""
    rows = await session.execute(
        select(Service, ServiceVersion.digest).join(
            ServiceVersion,
            (ServiceVersion.service_id == Service.id) & (ServiceVersion.version == Service.version),
        )
    )
    return {service.slug: (service, digest) for service, digest in rows}
