"""The shapes the portal reads of the province's catalogue of data and interfaces: what it shows."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel

from sebalai_portal.readings import Text


class Name(Text):
    """The English may be left out altogether."""

    en: str | None = None  # pyright: ignore[reportIncompatibleVariableOverride]


class Contact(BaseModel):
    name: str
    email: str


class Distribution(BaseModel):
    title: str
    url: str
    format: str
    description: str | None = None
    bytes: int | None = None

    @property
    def is_link(self) -> bool:
        """https, or a path of this platform: no other scheme becomes a link."""
        is_path = self.url.startswith("/") and not self.url.startswith("//")
        return is_path or self.url.startswith("https://")


class DataStandard(BaseModel):
    code: str
    concept: str
    definition: str
    measure: str
    unit: str


class Metadata(BaseModel):
    title: Name
    description: Name
    keywords: list[str]
    license: str
    access: str
    frequency: str
    contact: Contact
    standard: DataStandard | None = None
    distributions: list[Distribution]


class Dataset(BaseModel):
    slug: str
    agency: str
    modified_at: datetime
    metadata: Metadata


class DatasetPage(BaseModel):
    items: list[Dataset]
    next: str | None = None


class Api(BaseModel):
    """An interface or event type; counts of 30 days."""

    kind: str
    name: str
    agency: str
    title: str
    description: str = ""
    lifecycle: str
    ends_at: datetime | None = None
    successor: str | None = None
    contract: str
    calls: int
    consumers: int
    agencies: int
    last_used_on: date | None = None


class ApiPage(BaseModel):
    items: list[Api]
    next: str | None = None
