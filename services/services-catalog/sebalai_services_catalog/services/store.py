"""SQL of services: what is published is public; a draft is its agency's (checked in `access`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.statements import fetch_one
from sqlalchemy import ColumnElement, Row, Select, exists, or_, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.services.model import (
    SHOWN,
    Service,
    ServiceAct,
    ServiceBasis,
    ServiceDraft,
    ServiceTemplate,
    ServiceVersion,
)

LOAD_LOCK = 7_219_304_101
ACTS_MAX = 200
_OFFERED = (
    "SELECT s.id, s.slug, s.agency, s.state, s.reason, s.version, v.standard::text FROM service s"
    " JOIN service_version v ON v.service_id = s.id AND v.version = s.version WHERE s.slug = $1"
)

_PLACES = text(
    "SELECT code, coalesce(r.name, code), count(*) FROM service s"
    " JOIN service_version v ON v.service_id = s.id AND v.version = s.version"
    " CROSS JOIN unnest(v.places) AS code LEFT JOIN known_region r USING (code)"
    " WHERE s.state = ANY (:shown) GROUP BY 1, 2 ORDER BY code"
)
_STANDARDS = text(
    "SELECT count(*) AS shown, count(v.standard->'product'->>'archive_code') AS retained"
    " FROM service s JOIN service_version v ON v.service_id = s.id AND v.version = s.version"
    " WHERE s.state = ANY (:shown)"
)

Published = Row[Service, ServiceVersion]


@dataclass(frozen=True)
class ServiceFilter:
    """`on_regulations`: services resting on one of them; `review_before`: review date passed;
    `place`: with a service point in that kabupaten or kota.
    """

    agency: str | None = None
    audience: str | None = None
    q: str | None = None
    event: str | None = None
    on_regulations: frozenset[str] | None = None
    review_before: date | None = None
    place: str | None = None


def visible_to(caller: Caller) -> Select[Service, ServiceVersion]:  # noqa: ARG001 - public
    """Every service ever published with its current version, retired ones too: links stay good."""
    return select(Service, ServiceVersion).join(
        ServiceVersion,
        (ServiceVersion.service_id == Service.id) & (ServiceVersion.version == Service.version),
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
    query = visible_to(caller).where(Service.state.in_(SHOWN)).order_by(*order).limit(limit + 1)
    if after is not None:
        query = query.where(tuple_(*order) > tuple_(*after))
    for condition in _conditions(wanted):
        query = query.where(condition)
    return (await session.execute(query)).all()


def _conditions(wanted: ServiceFilter) -> list[ColumnElement[bool]]:
    conditions = [_occurs(word) for word in (wanted.q or "").split()]
    if wanted.agency is not None:
        conditions.append(Service.agency == wanted.agency)
    if wanted.audience is not None:
        conditions.append(ServiceVersion.audiences.contains([wanted.audience]))
    if wanted.place is not None:
        conditions.append(ServiceVersion.places.contains([wanted.place]))
    if wanted.event is not None:
        conditions.append(
            or_(
                ServiceVersion.life_event == wanted.event,
                ServiceVersion.business_event == wanted.event,
            )
        )
    if wanted.on_regulations is not None:
        conditions.append(
            exists().where(
                ServiceBasis.service_id == Service.id,
                ServiceBasis.version == Service.version,
                ServiceBasis.regulation.in_(wanted.on_regulations),
            )
        )
    if wanted.review_before is not None:
        conditions.append(ServiceVersion.review_by < wanted.review_before)
    return conditions


def _occurs(word: str) -> ColumnElement[bool]:
    columns = (
        ServiceVersion.name_id,
        ServiceVersion.name_en,
        ServiceVersion.summary_id,
        ServiceVersion.summary_en,
    )
    return or_(*(column.icontains(word, autoescape=True) for column in columns))


@dataclass(frozen=True, slots=True)
class Standards:
    """Services that are shown, and those of them whose product has a code of the archive's."""

    all: int
    with_retention: int


async def count_standards(session: AsyncSession) -> Standards:
    row = (await session.execute(_STANDARDS, {"shown": list(SHOWN)})).one()
    return Standards(row.shown, row.retained)


async def count_places(session: AsyncSession) -> list[tuple[str, str, int]]:
    """Code and name of each kabupaten and kota, and how many services that are shown have a
    service point there.
    """
    rows = await session.execute(_PLACES, {"shown": list(SHOWN)})
    return [(code, name, many) for code, name, many in rows]


async def by_slugs(
    session: AsyncSession, caller: Caller, slugs: Sequence[str]
) -> dict[str, Published]:
    query = visible_to(caller).where(Service.slug.in_(slugs))
    return {row[0].slug: row for row in (await session.execute(query)).all()}


async def find(session: AsyncSession, caller: Caller, slug: str) -> Published | None:
    return (await session.execute(visible_to(caller).where(Service.slug == slug))).one_or_none()


async def offered(session: AsyncSession, slug: str) -> Any | None:
    """What filing asks of a service, straight from the driver; public as in `visible_to`."""
    return await fetch_one(session, _OFFERED, slug)


async def find_version(session: AsyncSession, slug: str, version: int) -> Published | None:
    query = (
        select(Service, ServiceVersion)
        .join(ServiceVersion, ServiceVersion.service_id == Service.id)
        .where(Service.slug == slug, ServiceVersion.version == version)
    )
    return (await session.execute(query)).one_or_none()


async def hold_service(session: AsyncSession, slug: str) -> Service | None:
    """The service, locked to the transaction's end, whatever its state."""
    query = select(Service).where(Service.slug == slug).with_for_update()
    return (await session.scalars(query)).one_or_none()


async def draft_of(session: AsyncSession, service_id: UUID) -> ServiceDraft | None:
    return await session.get(ServiceDraft, service_id)


async def claim_slug(session: AsyncSession, values: dict[str, Any]) -> bool:
    """False when the slug is taken; waits for a transaction that is taking it."""
    query = insert(Service).values(values).on_conflict_do_nothing().returning(Service.id)
    return (await session.scalar(query)) is not None


async def last_version(session: AsyncSession, service_id: UUID) -> int:
    query = (
        select(ServiceVersion.version)
        .where(ServiceVersion.service_id == service_id)
        .order_by(ServiceVersion.version.desc())
        .limit(1)
    )
    return (await session.scalar(query)) or 0


async def versions(
    session: AsyncSession, service_id: UUID, below: int | None, limit: int
) -> Sequence[ServiceVersion]:
    query = (
        select(ServiceVersion)
        .where(ServiceVersion.service_id == service_id)
        .order_by(ServiceVersion.version.desc())
        .limit(limit + 1)
    )
    if below is not None:
        query = query.where(ServiceVersion.version < below)
    return (await session.scalars(query)).all()


async def acts(session: AsyncSession, service_id: UUID) -> Sequence[ServiceAct]:
    """The latest ACTS_MAX acts, oldest first."""
    query = (
        select(ServiceAct)
        .where(ServiceAct.service_id == service_id)
        .order_by(ServiceAct.id.desc())
        .limit(ACTS_MAX)
    )
    return list(reversed((await session.scalars(query)).all()))


async def template(session: AsyncSession, slug: str) -> ServiceTemplate | None:
    return await session.get(ServiceTemplate, slug)


async def templates(session: AsyncSession) -> Sequence[ServiceTemplate]:
    query = select(ServiceTemplate).order_by(ServiceTemplate.slug)
    return (await session.scalars(query)).all()


async def keep_template(session: AsyncSession, values: dict[str, Any]) -> None:
    query = insert(ServiceTemplate).values(values)
    changed = {name: query.excluded[name] for name in values if name != "slug"}
    await session.execute(query.on_conflict_do_update(index_elements=["slug"], set_=changed))


async def hold_load(session: AsyncSession) -> None:
    """Two loads at once would both make the same version: the second waits."""
    await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOAD_LOCK})


async def digests(session: AsyncSession) -> dict[str, tuple[Service, set[str]]]:
    """Every service by slug, with the digests of all its versions."""
    query = select(Service, ServiceVersion.digest).outerjoin(
        ServiceVersion, ServiceVersion.service_id == Service.id
    )
    known: dict[str, tuple[Service, set[str]]] = {}
    for service, digest in await session.execute(query):
        known.setdefault(service.slug, (service, set()))[1].add(digest)
    return known


async def edited_by_officers(session: AsyncSession) -> frozenset[UUID]:
    """Services whose current version an officer published: a file no longer speaks for them."""
    query = (
        select(Service.id)
        .join(
            ServiceVersion,
            (ServiceVersion.service_id == Service.id) & (ServiceVersion.version == Service.version),
        )
        .where(ServiceVersion.published_by.is_not(None))
    )
    return frozenset((await session.scalars(query)).all())
