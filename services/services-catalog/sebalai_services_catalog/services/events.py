"""Facts about services."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel
from sebalai_shared.events import Event

PUBLISHED = "catalog.service.published.v1"
SOURCE = "urn:sebalai:catalog"


class ServicePublished(BaseModel):
    """A version of a service stands in the catalogue; once per version."""

    service_id: UUID
    slug: str
    version: int
    agency: str


FACTS: dict[str, type[BaseModel]] = {PUBLISHED: ServicePublished}


def published(fact: ServicePublished, at: datetime) -> Event:
    return Event(PUBLISHED, SOURCE, str(fact.service_id), fact.model_dump(mode="json"), at)
