"""Decisions about services: find, list, publish what the reviewed files hold."""

from collections.abc import Sequence
from pathlib import Path

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.ids import uuid7
from sebalai_shared.outbox import publish
from sebalai_shared.problems import NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.services import events, store
from sebalai_services_catalog.services.files import ServiceFile, read_all
from sebalai_services_catalog.services.model import PUBLISHED, Service, ServiceVersion
from sebalai_services_catalog.services.store import Published, ServiceFilter

__all__ = ["ServiceFilter"]


class ServiceUnknown(NotFound):
    slug, title = "service-unknown", "There is no such service in the catalogue"


async def list_services(
    session: AsyncSession,
    *,
    caller: Caller,
    wanted: ServiceFilter,
    after: tuple[str, str] | None,
    limit: int,
) -> Sequence[Published]:
    return await store.page(session, caller, wanted, after, limit)


async def find_service(session: AsyncSession, *, caller: Caller, slug: str) -> Published:
    found = await store.find(session, caller, slug)
    if found is None:
        raise ServiceUnknown("Look it up under /v1/services.")
    return found


async def load_services(session: AsyncSession, clock: Clock, *, folder: Path) -> dict[str, int]:
    """Publishes each file that is new or means something else than before, with one fact each.

    Answers files read and versions published. Raises `ValueError` naming a wrong file.
    """
    files = read_all(folder)
    await store.hold_load(session)
    known = await store.current(session)
    published = 0
    for file in files:
        service, digest = known.get(file.slug, (None, None))
        if digest != file.digest():
            await _publish(session, clock, file, service)
            published += 1
    return {"services": len(files), "service versions published": published}


async def _publish(
    session: AsyncSession, clock: Clock, file: ServiceFile, service: Service | None
) -> None:
    if service is None:
        service = Service(
            id=uuid7(), slug=file.slug, agency=file.agency, state=PUBLISHED, version=1
        )
        session.add(service)
        # A flush of its own: the version refers to the service's row.
        await session.flush()
    else:
        service.version, service.agency = service.version + 1, file.agency
    session.add(_version(service, file, clock))
    await session.flush()
    fact = events.ServicePublished(
        service_id=service.id, slug=service.slug, version=service.version, agency=service.agency
    )
    await publish(session, events.published(fact, clock.now()))


def _version(service: Service, file: ServiceFile, clock: Clock) -> ServiceVersion:
    return ServiceVersion(
        service_id=service.id,
        version=service.version,
        agency=file.agency,
        name_id=file.name.id,
        name_en=file.name.en,
        summary_id=file.summary.id,
        summary_en=file.summary.en,
        audiences=list(file.audiences),
        life_event=file.life_event,
        channels=list(file.channels),
        published_at=clock.now(),
        digest=file.digest(),
        provenance_status=file.provenance.status,
        provenance_source=file.provenance.source,
    )
