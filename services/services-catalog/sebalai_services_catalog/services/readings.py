"""Rows as wire shapes: what a published version looks like today."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sebalai_services_catalog.provenance import ProvenanceRead
from sebalai_services_catalog.regulations.actions import RegulationRead
from sebalai_services_catalog.services.drafting import Draft
from sebalai_services_catalog.services.gaps import Gap
from sebalai_services_catalog.services.model import ServiceTemplate, ServiceVersion
from sebalai_services_catalog.services.schema import (
    DraftRead,
    Flag,
    GapRead,
    PlaceRead,
    ServiceFull,
    ServiceRead,
    TemplateRead,
    Text,
)
from sebalai_services_catalog.services.standard import Standard
from sebalai_services_catalog.services.store import Published


@dataclass(frozen=True, slots=True)
class Facts:
    """What flags depend on: the day, and the regulations that are revoked."""

    today: date
    revoked: frozenset[str]

    def flags(self, version: ServiceVersion) -> list[Flag]:
        flags = list[Flag]()
        if self.revoked & set(version.standard.get("legal_basis") or []):
            flags.append("legal_basis_revoked")
        if version.review_by is not None and version.review_by < self.today:
            flags.append("review_due")
        if version.name_en is None or version.summary_en is None:
            flags.append("english_missing")
        return flags


def read(row: Published, facts: Facts) -> ServiceRead:
    service, version = row
    return ServiceRead(
        id=service.id,
        slug=service.slug,
        agency=version.agency,
        name=Text(id=version.name_id, en=version.name_en or version.name_id),
        summary=Text(id=version.summary_id, en=version.summary_en or version.summary_id),
        audiences=version.audiences,
        life_event=version.life_event,
        business_event=version.business_event,
        ral_code=version.ral_code,
        channels=version.channels,
        places=version.places,
        state=service.state,
        version=version.version,
        published_at=version.published_at,
        review_by=version.review_by,
        flags=facts.flags(version),
        provenance=ProvenanceRead.of(version),
    )


def full(row: Published, facts: Facts, laws: Sequence[RegulationRead]) -> ServiceFull:
    service, version = row
    return ServiceFull(
        **read(row, facts).model_dump(),
        reason=service.reason,
        successor=service.successor,
        template=version.template,
        inherited=version.inherited,
        standard=Standard.model_validate(version.standard),
        legal_basis=list(laws),
    )


def places_read(counted: Sequence[tuple[str, str, int]]) -> list[PlaceRead]:
    return [PlaceRead(code=code, name=name, services=many) for code, name, many in counted]


def template_read(row: ServiceTemplate) -> TemplateRead:
    return TemplateRead(
        slug=row.slug,
        level=row.level,
        title=row.title,
        standard=row.standard,
        provenance=ProvenanceRead.of(row),
    )


def draft_read(draft: Draft) -> DraftRead:
    row = draft.row
    return DraftRead(
        service_id=draft.service.id,
        slug=draft.service.slug,
        agency=draft.service.agency,
        state=row.state,
        revision=row.revision,
        template=row.template,
        standard=row.standard,
        whole=draft.whole,
        missing=_gaps(draft.gaps),
        advice=_gaps(draft.advice),
        author=row.author,
        changed_by=row.changed_by,
        changed_at=row.changed_at,
        note=row.note,
    )


def _gaps(gaps: Sequence[Gap]) -> list[GapRead]:
    return [GapRead(component=gap.component, pointer=gap.pointer, detail=gap.why) for gap in gaps]
