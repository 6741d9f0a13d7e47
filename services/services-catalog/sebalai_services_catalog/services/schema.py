"""Wire shapes of services."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from sebalai_services_catalog.provenance import ProvenanceRead
from sebalai_services_catalog.services.model import State


class Text(BaseModel):
    """A text in both languages, Indonesian first."""

    id: str
    en: str


class ServiceRead(BaseModel):
    id: UUID
    slug: str
    agency: str
    name: Text
    summary: Text
    audiences: list[str]
    life_event: str
    channels: list[str]
    state: State
    version: int
    published_at: datetime
    provenance: ProvenanceRead
