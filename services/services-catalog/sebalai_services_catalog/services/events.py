"""Facts about services."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel
from sebalai_shared.events import Event

PUBLISHED = "catalog.service.published.v1"
SUSPENDED = "catalog.service.suspended.v1"
RESUMED = "catalog.service.resumed.v1"
RETIRED = "catalog.service.retired.v1"
SOURCE = "urn:sebalai:catalog"


class ServicePublished(BaseModel):
    """A version of a service stands in the catalogue; once per version."""

    service_id: UUID
    slug: str
    version: int
    agency: str


class ServiceMoved(BaseModel):
    """A service was suspended, resumed or retired."""

    service_id: UUID
    slug: str
    agency: str


FACTS: dict[str, type[BaseModel]] = {
    PUBLISHED: ServicePublished,
    SUSPENDED: ServiceMoved,
    RESUMED: ServiceMoved,
    RETIRED: ServiceMoved,
}
MOVED = {"suspend": SUSPENDED, "resume": RESUMED, "retire": RETIRED}


def published(fact: ServicePublished, at: datetime) -> Event:
    return Event(PUBLISHED, SOURCE, str(fact.service_id), fact.model_dump(mode="json"), at)


def moved(act: str, fact: ServiceMoved, at: datetime) -> Event:
    return Event(MOVED[act], SOURCE, str(fact.service_id), fact.model_dump(mode="json"), at)
