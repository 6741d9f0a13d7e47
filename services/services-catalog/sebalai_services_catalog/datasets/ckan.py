"""Datasets in the shapes of CKAN's Action API (2.10), so that its clients and harvesters read us.

Only what reading needs. An organisation is an agency by its slug, a group a theme, a resource a
distribution; ids are names, but for a dataset's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sebalai_services_catalog.datasets.access import WALIDATA
from sebalai_services_catalog.datasets.metadata import LICENSES, THEMES, Distribution, Metadata
from sebalai_services_catalog.datasets.model import Dataset
from sebalai_services_catalog.reference.actions import KnownAgency

Shape = dict[str, Any]

VERSION = "2.10.0"
"""The CKAN release whose shapes these are."""
RESOURCE_MARK = "--"
"""Between dataset and distribution in a resource's id: no slug holds it."""


@dataclass(frozen=True, slots=True)
class Site:
    """`agencies` by slug; `packages`: how many datasets each has."""

    public_url: str
    agencies: Mapping[str, KnownAgency]


def instant(at: datetime | None) -> str | None:
    """CKAN writes naive UTC."""
    return at.replace(tzinfo=None).isoformat() if at else None


def package(site: Site, row: Dataset) -> Shape:
    said = Metadata.model_validate(row.shown)
    title, address = LICENSES[said.license]
    resources = [resource(site, row, said, one) for one in said.distributions]
    return {
        "id": str(row.id),
        "name": row.slug,
        "title": said.title.id,
        "notes": said.description.id,
        "type": "dataset",
        "state": "active",
        "private": False,
        "isopen": said.access == "PUBLIC",
        "url": f"{site.public_url}/api/catalog/v1/datasets/{row.slug}",
        "version": str(row.revision),
        "author": None,
        "author_email": None,
        "maintainer": said.contact.name,
        "maintainer_email": said.contact.email,
        "creator_user_id": None,
        "license_id": said.license,
        "license_title": title,
        "license_url": address,
        "metadata_created": instant(row.published_at),
        "metadata_modified": instant(row.modified_at),
        "owner_org": row.agency,
        "organization": organization(site, row.agency),
        "groups": [group(theme) for theme in said.themes],
        "tags": [_tag(word) for word in said.keywords],
        "num_tags": len(said.keywords),
        "resources": resources,
        "num_resources": len(resources),
        "extras": _extras(said),
        "relationships_as_subject": [],
        "relationships_as_object": [],
    }


def resource(site: Site, row: Dataset, said: Metadata, one: Distribution) -> Shape:
    """`said`: what the row shows, read once for all its distributions."""
    url = one.url if one.url.startswith("https:") else site.public_url + one.url
    return {
        "id": f"{row.slug}{RESOURCE_MARK}{one.code}",
        "package_id": str(row.id),
        "name": one.title,
        "description": one.description or "",
        "url": url,
        "url_type": None,
        "resource_type": None,
        "format": one.format,
        "mimetype": one.media_type,
        "mimetype_inner": None,
        "size": one.bytes,
        "hash": "",
        "position": [other.code for other in said.distributions].index(one.code),
        "state": "active",
        "created": instant(row.published_at),
        "last_modified": instant(row.modified_at),
        "metadata_modified": instant(row.modified_at),
        "cache_url": None,
        "cache_last_updated": None,
        "datastore_active": False,
    }


def organization(site: Site, slug: str) -> Shape:
    known = site.agencies.get(slug)
    name = known.name if known else slug
    return {
        "id": slug,
        "name": slug,
        "title": name,
        "display_name": name,
        "type": "organization",
        "description": "",
        "image_url": "",
        "created": None,
        "is_organization": True,
        "approval_status": "approved",
        "state": "active",
    }


def group(theme: str) -> Shape:
    title, description = next(texts for code, texts in THEMES.items() if code == theme)
    return {
        "id": theme.lower(),
        "name": theme.lower(),
        "title": title,
        "display_name": title,
        "description": description,
        "image_display_url": "",
        "type": "group",
        "is_organization": False,
        "approval_status": "approved",
        "state": "active",
    }


def _tag(word: str) -> Shape:
    return {"id": word, "name": word, "display_name": word, "state": "active",
            "vocabulary_id": None}  # fmt: skip


def _extras(said: Metadata) -> list[Shape]:
    """What CKAN has no field for, as its extra fields: text only."""
    period, standard = said.temporal, said.standard
    texts: dict[str, str | None] = {
        "title_en": said.title.en,
        "notes_en": said.description.en,
        "spatial_code": said.region,
        "frequency": said.frequency,
        "access_rights": said.access,
        "temporal_start": period.start.isoformat() if period else None,
        "temporal_end": period.end.isoformat() if period and period.end else None,
        "kode_standar_data": standard.code if standard else None,
        "konsep": standard.concept if standard else None,
        "definisi": standard.definition if standard else None,
        "klasifikasi": standard.classification if standard else None,
        "ukuran": standard.measure if standard else None,
        "satuan": standard.unit if standard else None,
        "kode_referensi": "; ".join(said.reference_codes) or None,
    }
    return [{"key": key, "value": value} for key, value in texts.items() if value]


def status(site: Site) -> Shape:
    return {
        "ckan_version": VERSION,
        "site_url": site.public_url,
        "site_title": "Satu Data Kepulauan Bangka Belitung",
        "site_description": "Katalog dataset Sebalai, dibaca seperti CKAN",
        "error_emails_to": None,
        "locale_default": "id",
        "extensions": [],
        "walidata": WALIDATA,
    }


def licenses() -> list[Shape]:
    return [
        {"id": code, "title": title, "url": address, "status": "active", "od_conformance":
         "approved", "osd_conformance": "not reviewed", "is_generic": False, "family": "",
         "maintainer": "", "domain_content": True, "domain_data": True, "domain_software": False}
        for code, (title, address) in LICENSES.items()
    ]  # fmt: skip
