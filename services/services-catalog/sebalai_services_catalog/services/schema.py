"""Wire shapes of services."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from sebalai_services_catalog.provenance import ProvenanceRead
from sebalai_services_catalog.regulations.actions import RegulationRead
from sebalai_services_catalog.services.lifecycle import DraftState, State
from sebalai_services_catalog.services.shapes import AgencySlug, Note, Slug
from sebalai_services_catalog.services.standard import Standard

Flag = Literal["legal_basis_revoked", "review_due", "english_missing"]


class Text(BaseModel):
    """A text in both languages, Indonesian first; `en` repeats it where English is missing."""

    id: str
    en: str


class PlaceRead(BaseModel):
    """A kabupaten or kota by Kemendagri code, and how many services have a service point there."""

    code: str
    name: str
    services: int


class ServiceRead(BaseModel):
    id: UUID
    slug: str
    agency: str
    name: Text
    summary: Text
    audiences: list[str]
    life_event: str | None
    business_event: str | None
    ral_code: str | None
    channels: list[str]
    places: list[str]
    state: State
    version: int
    published_at: datetime
    review_by: date | None
    flags: list[Flag]
    provenance: ProvenanceRead


class ServiceFull(ServiceRead):
    """One service with its whole standard; `inherited` names the fields its template filled."""

    reason: str | None
    successor: str | None
    template: str | None
    inherited: list[str]
    standard: Standard
    legal_basis: list[RegulationRead]


class VersionRead(BaseModel):
    version: int
    published_at: datetime
    published_by: str | None
    author: str | None
    digest: str


class ActRead(BaseModel):
    act: str
    state_before: str
    state_after: str
    version: int | None
    actor: str
    at: datetime
    reason: str | None


class GapRead(BaseModel):
    """`component` is 1 to 14 of the law's components, 0 for what identifies the service."""

    component: int
    pointer: str
    detail: str


class DraftRead(BaseModel):
    """`standard` is what the service says itself, `whole` with what its template adds."""

    service_id: UUID
    slug: str
    agency: str
    state: DraftState
    revision: int
    template: str | None
    standard: dict[str, Any]
    whole: Standard
    missing: list[GapRead]
    advice: list[GapRead]
    author: str
    changed_by: str
    changed_at: datetime
    note: str | None


class _Write(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ServiceCreate(_Write):
    slug: Slug
    agency: AgencySlug
    template: Slug | None = None
    standard: Standard = Standard()


class DraftWrite(_Write):
    """`revision` is the one that was read; 0 begins a draft beside a published version."""

    revision: Annotated[int, Field(ge=0, le=2**31 - 1)]
    template: Slug | None = None
    standard: Standard


class Reason(_Write):
    reason: Note


class PublishedRead(BaseModel):
    slug: str
    version: int


class TemplateRead(BaseModel):
    slug: str
    level: str
    title: str
    standard: dict[str, Any]
    provenance: ProvenanceRead


class Batch(BaseModel):
    items: list[ServiceRead]
    missing: list[str]


class ServiceChange(BaseModel):
    """Enough to know what to read anew: `GET /v1/services/batch`."""

    slug: str
    agency: str
    state: str
    version: int | None
