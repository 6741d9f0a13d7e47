"""Service points (titik layanan): where people go or write for a service, and when it is open.

Regions are named by Kemendagri code, a kabupaten or kota or a kecamatan in it; times are WIB.
"""

from datetime import time
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from sebalai_services_catalog.services.shapes import Channel, Note, Short, Slug, Strict

POINTS_MAX = 60
HOURS_MAX = 14
"""Twice a week's days: an office may close at noon."""

Region = Annotated[str, StringConstraints(pattern=r"^\d{2}\.\d{2}(\.\d{2})?$")]
Place = Annotated[str, StringConstraints(pattern=r"^\d{2}\.\d{2}$")]
Weekday = Annotated[int, Field(ge=1, le=7)]
ClockTime = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class Position(Strict):
    """WGS 84, in degrees."""

    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]


class Hours(Strict):
    """Open on ISO weekdays (Monday 1) from `opens` until `closes`, WIB, on the same day."""

    weekdays: Annotated[list[Weekday], Field(min_length=1, max_length=7)]
    opens: ClockTime
    closes: ClockTime

    @model_validator(mode="after")
    def _closes_later(self) -> Self:
        if time.fromisoformat(self.closes) <= time.fromisoformat(self.opens):
            raise ValueError("closes before it opens")
        return self


class ServicePoint(Strict):
    """`code` is unique within the standard; `position` null where it is not known."""

    code: Slug
    name: Short
    address: Note
    region: Region
    channels: list[Channel] = Field(default=["loket"], min_length=1, max_length=5)
    hours: Annotated[list[Hours], Field(min_length=1, max_length=HOURS_MAX)]
    position: Position | None = None

    @property
    def place(self) -> str:
        """The kabupaten or kota."""
        return self.region[:5]


def places_of(points: list[ServicePoint]) -> list[str]:
    """Each once, by code."""
    return sorted({point.place for point in points})
