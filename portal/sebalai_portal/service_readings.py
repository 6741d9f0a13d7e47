"""The shapes the portal reads of services: what a citizen asks of one, and where to go for it."""

from __future__ import annotations

from pydantic import BaseModel, RootModel

from sebalai_portal.catalogue_readings import Name
from sebalai_portal.readings import Provenance, Service


class Place(BaseModel):
    """A kabupaten or kota with service points, by Kemendagri code."""

    code: str
    name: str
    services: int


class Places(RootModel[list[Place]]):
    def name_of(self, region: str) -> str:
        """Of the kabupaten or kota that a region is or lies in; the code where it is not known."""
        names = {place.code: place.name for place in self.root}
        return names.get(region[:5], region)


class Listed(Service):
    slug: str


class ListedPage(BaseModel):
    """A page of the list, or what a search found: that has no next page."""

    items: list[Listed]
    next: str | None = None


class Named(BaseModel):
    name: Name


class Asked(Named):
    """What the applicant must have: a `document` or `data`; else `presence` or a `condition`."""

    code: str = ""
    kind: str = "document"
    mandatory: bool = True
    condition: str | None = None


class Step(BaseModel):
    what: Name


class Duration(BaseModel):
    value: int
    unit: str


class Charge(BaseModel):
    kind: str
    rupiah: int | None = None
    formula: str | None = None


class Fee(Charge):
    channels: dict[str, Charge] = {}


class Hours(BaseModel):
    weekdays: list[int]
    opens: str
    closes: str


class Point(BaseModel):
    name: str
    address: str
    region: str
    hours: list[Hours]


class Complaints(BaseModel):
    channels: list[str]
    appeal_to: str
    appeal_working_days: int


class Law(BaseModel):
    kind: str
    number: str
    year: int
    title: str
    status: str


class Standard(BaseModel):
    requirements: list[Asked]
    procedure: list[Step]
    duration: Duration
    fee: Fee
    product: Named
    complaints: Complaints
    contact: str | None = None
    points: list[Point] = []


class ServiceFull(Listed):
    """One published service. `reason` says why it takes no requests."""

    name: Name  # pyright: ignore[reportIncompatibleVariableOverride]
    summary: Name  # pyright: ignore[reportIncompatibleVariableOverride]
    state: str
    reason: str | None = None
    channels: list[str]
    provenance: Provenance | None = None
    standard: Standard
    legal_basis: list[Law]


class Shown(BaseModel):
    """What the page of one service shows."""

    service: ServiceFull
    places: Places


class Sought(BaseModel):
    """What the list shows: what was found, and the places to choose from."""

    page: ListedPage
    places: Places
