"""The one place where a version comes to be: from a file or from an approved draft."""

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import Any

from sebalai_shared.clock import Clock
from sebalai_shared.ids import uuid7
from sebalai_shared.outbox import publish
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.provenance import Status
from sebalai_services_catalog.services import events, store
from sebalai_services_catalog.services.lifecycle import Act, State
from sebalai_services_catalog.services.model import (
    Service,
    ServiceAct,
    ServiceBasis,
    ServiceVersion,
)
from sebalai_services_catalog.services.points import places_of
from sebalai_services_catalog.services.standard import Standard

REVIEW_YEARS = 3
"""A standard is reviewed at least once in three years (PermenPANRB 15/2014; known, not read)."""


@dataclass(frozen=True, slots=True)
class Edition:
    """A complete standard and where it came from. `officer` is null for a file."""

    standard: Standard
    inherited: list[str]
    template: str | None
    digest: str
    author: str | None
    officer: str | None
    provenance: tuple[Status, str]


def digest_of(standard: Standard) -> str:
    return hashlib.sha256(standard.model_dump_json(exclude_defaults=True).encode()).hexdigest()


async def publish_edition(
    session: AsyncSession, clock: Clock, *, service: Service, edition: Edition, state: State
) -> int:
    """Writes the next version and makes it current, the service being in `state` from now on."""
    number = await store.last_version(session, service.id) + 1
    session.add(_version(service, edition, number, clock))
    await session.flush()
    session.add_all(
        ServiceBasis(service_id=service.id, version=number, regulation=regulation)
        for regulation in dict.fromkeys(edition.standard.legal_basis or [])
    )
    service.version, service.state = number, state
    await session.flush()
    fact = events.ServicePublished(
        service_id=service.id, slug=service.slug, version=number, agency=service.agency
    )
    await publish(session, events.published(fact, clock.now()))
    return number


def record_act(
    session: AsyncSession,
    clock: Clock,
    *,
    service: Service,
    step: tuple[Act, State, State],
    **more: Any,
) -> None:
    """`step` is the act with the states before and after; `more`: actor, reason, version."""
    act, before, after = step
    session.add(
        ServiceAct(
            id=uuid7(),
            service_id=service.id,
            act=act,
            state_before=before,
            state_after=after,
            at=clock.now(),
            **more,
        )
    )


def _version(service: Service, edition: Edition, number: int, clock: Clock) -> ServiceVersion:
    standard = edition.standard
    assert standard.name is not None  # noqa: S101 - gaps() was empty
    assert standard.summary is not None  # noqa: S101
    status, source = edition.provenance
    return ServiceVersion(
        service_id=service.id,
        version=number,
        agency=service.agency,
        name_id=standard.name.id,
        name_en=standard.name.en,
        summary_id=standard.summary.id,
        summary_en=standard.summary.en,
        audiences=list(standard.audiences),
        life_event=standard.life_event,
        business_event=standard.business_event,
        ral_code=standard.ral_code,
        channels=list(standard.channels),
        places=places_of(standard.points),
        template=edition.template,
        inherited=edition.inherited,
        standard=standard.model_dump(mode="json"),
        review_by=standard.review_by or _review_by(clock),
        published_at=clock.now(),
        author=edition.author,
        published_by=edition.officer,
        digest=edition.digest,
        provenance_status=status,
        provenance_source=source,
    )


def _review_by(clock: Clock) -> date:
    today = clock.now().date()
    # A 29 February has no third anniversary: the 28th, so that the term never grows.
    day = 28 if (today.month, today.day) == (2, 29) else today.day
    return today.replace(year=today.year + REVIEW_YEARS, day=day)
