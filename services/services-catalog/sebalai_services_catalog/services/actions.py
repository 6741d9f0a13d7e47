"""Decisions about services: find, list, load what the files hold, move one along."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.ids import uuid7
from sebalai_shared.outbox import publish
from sebalai_shared.problems import Conflict, Forbidden, NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.deltas import Changed, changed
from sebalai_services_catalog.reference.actions import region_names
from sebalai_services_catalog.regulations.actions import known_ids
from sebalai_services_catalog.services import events, store
from sebalai_services_catalog.services.access import DECIDE, may_decide
from sebalai_services_catalog.services.files import (
    ServiceFile,
    TemplateFile,
    read_all,
    read_templates,
)
from sebalai_services_catalog.services.gaps import Known, gaps
from sebalai_services_catalog.services.lifecycle import Act, NoSuchMove, State, after
from sebalai_services_catalog.services.model import (
    PUBLISHED,
    Service,
    ServiceAct,
    ServiceTemplate,
    ServiceVersion,
)
from sebalai_services_catalog.services.points import Hours, ServicePoint, places_of
from sebalai_services_catalog.services.publication import Edition, publish_edition, record_act
from sebalai_services_catalog.services.search import load_synonyms
from sebalai_services_catalog.services.standard import (
    Charge,
    Fee,
    Requirement,
    Standard,
    Step,
    inherit,
)
from sebalai_services_catalog.services.store import Published, ServiceFilter, Standards

__all__ = [
    "Charge",
    "Fee",
    "Hours",
    "Offered",
    "Published",
    "Requirement",
    "Service",
    "ServiceFilter",
    "ServicePoint",
    "Standard",
    "Step",
    "load_synonyms",
    "places_of",
]

STANDARDS_CACHED = 256
"""Of some ten kilobytes each."""


async def count_standards(session: AsyncSession) -> Standards:
    return await store.count_standards(session)


async def find_services(
    session: AsyncSession, *, caller: Caller, slugs: Sequence[str]
) -> dict[str, Published]:
    """Those there are, by slug."""
    return await store.by_slugs(session, caller, slugs)


async def changed_services(
    session: AsyncSession, *, caller: Caller, page: tuple[str | None, int]
) -> Changed:
    """Every service that was ever published, by its last change. Raises: BadCursor."""
    return await changed(session, store.visible_to(caller), Service.id, page)


class ServiceUnknown(NotFound):
    slug, title = "service-unknown", "There is no such service in the catalogue"


class ServiceActRefused(Forbidden):
    slug, title = "service-act-refused", "This caller may not do this to the service"


class ServiceStateConflict(Conflict):
    slug, title = "service-state-conflict", "The service's state does not allow this"


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


@dataclass(frozen=True, slots=True)
class Offered:
    """A service as one who files for it needs it; `version` is the current one."""

    id: UUID
    slug: str
    agency: str
    state: State
    reason: str | None
    version: int
    standard: Standard


async def offered_service(session: AsyncSession, *, slug: str) -> Offered:
    """Raises: ServiceUnknown."""
    row = await store.offered(session, slug)
    if row is None:
        raise ServiceUnknown("Look it up under /v1/services.")
    standard = _standard(row.standard)
    return Offered(row.id, row.slug, row.agency, row.state, row.reason, row.version, standard)


@lru_cache(maxsize=STANDARDS_CACHED)
def _standard(document: str) -> Standard:
    """Many requests are filed for one service, and checking its standard is dear."""
    return Standard.model_validate_json(document)


async def find_version(session: AsyncSession, *, slug: str, version: int) -> Published:
    found = await store.find_version(session, slug, version)
    if found is None:
        raise ServiceUnknown("No such version was published.")
    return found


async def list_versions(
    session: AsyncSession, *, caller: Caller, slug: str, below: int | None, limit: int
) -> Sequence[ServiceVersion]:
    service, _ = await find_service(session, caller=caller, slug=slug)
    return await store.versions(session, service.id, below, limit)


async def list_acts(session: AsyncSession, *, caller: Caller, slug: str) -> Sequence[ServiceAct]:
    service, _ = await find_service(session, caller=caller, slug=slug)
    return await store.acts(session, service.id)


async def list_templates(session: AsyncSession) -> Sequence[ServiceTemplate]:
    return await store.templates(session)


async def move_service(
    session: AsyncSession, clock: Clock, *, caller: Caller, slug: str, act: Act, reason: str
) -> Published:
    """Suspends, resumes or retires a published service, with a reason that everybody reads.

    Raises: ServiceUnknown, ServiceActRefused, ServiceStateConflict.
    """
    service = await store.hold_service(session, slug)
    if service is None or service.version is None:
        raise ServiceUnknown("Look it up under /v1/services.")
    if not may_decide(caller, service.agency):
        raise ServiceActRefused(f"Only {service.agency} with scope {DECIDE} may.")
    before = service.state
    service.state = state_after(service, act)
    service.reason = None if act == "resume" else reason
    step = (act, before, service.state)
    record_act(session, clock, service=service, step=step, actor=str(caller.subject), reason=reason)
    await session.flush()
    fact = events.ServiceMoved(service_id=service.id, slug=slug, agency=service.agency)
    await publish(session, events.moved(act, fact, clock.now()))
    return await find_service(session, caller=caller, slug=slug)


def state_after(service: Service, act: Act) -> State:
    """Raises: ServiceStateConflict."""
    try:
        return after(service.state, act)
    except NoSuchMove as error:
        raise ServiceStateConflict(f"{error}.", possible=error.possible) from error


async def load_services(session: AsyncSession, clock: Clock, *, folder: Path) -> dict[str, int]:
    """Publishes each file that is new or means something else than before, with one fact each.

    Answers files read and versions published. A service whose current version an officer published
    is left to the officers. Raises `ValueError` naming a wrong file.
    """
    files, templates = read_all(folder), await _load_templates(session, folder)
    await store.hold_load(session)
    known = await store.digests(session)
    edited = await store.edited_by_officers(session)
    known_to = await known_names(session)
    # All are judged before any is published: a wrong file changes nothing.
    editions = [_edition(file, templates, known_to) for file in files]
    published = 0
    for file, edition in zip(files, editions, strict=True):
        service, digests = known.get(file.slug, (None, set[str]()))
        if edition.digest not in digests and (service is None or service.id not in edited):
            await _publish_file(session, clock, file, edition, service)
            published += 1
    return {"services": len(files), "service versions published": published}


async def known_names(session: AsyncSession) -> Known:
    """What a standard may refer to."""
    regions = frozenset(await region_names(session))
    return Known(await known_ids(session), regions)


async def _load_templates(session: AsyncSession, folder: Path) -> dict[str, TemplateFile]:
    templates = {template.slug: template for template in read_templates(folder)}
    for template in templates.values():
        values = {
            "slug": template.slug,
            "level": template.level,
            "title": template.title,
            "standard": template.standard.model_dump(mode="json", exclude_unset=True),
            "provenance_status": template.provenance.status,
            "provenance_source": template.provenance.source,
        }
        await store.keep_template(session, values)
    return templates


def _edition(file: ServiceFile, templates: dict[str, TemplateFile], known: Known) -> Edition:
    whole, inherited = file.standard, list[str]()
    if file.template is not None:
        if file.template not in templates:
            raise ValueError(f"{file.slug}.toml: there is no template {file.template}")
        template = templates[file.template].standard
        whole = inherit(template, file.standard)
        inherited = sorted(template.model_fields_set - file.standard.model_fields_set)
    missing = gaps(whole, known)
    if missing:
        listed = "; ".join(f"{gap.pointer} {gap.why}" for gap in missing)
        raise ValueError(f"{file.slug}.toml: {listed}")
    mark = file.provenance
    return Edition(
        whole, inherited, file.template, file.digest(whole), None, None, (mark.status, mark.source)
    )


async def _publish_file(
    session: AsyncSession,
    clock: Clock,
    file: ServiceFile,
    edition: Edition,
    service: Service | None,
) -> UUID:
    if service is None:
        service = Service(
            id=uuid7(), slug=file.slug, agency=file.agency, state=PUBLISHED, version=1
        )
        session.add(service)
        # A flush of its own: the version refers to the service's row.
        await session.flush()
    service.agency = file.agency
    await publish_edition(session, clock, service=service, edition=edition, state=service.state)
    return service.id
