"""Wire shapes of the calendar."""

from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from sebalai_services_catalog.calendar.days import Kind
from sebalai_services_catalog.provenance import ProvenanceRead

TEXT_LENGTH_MAX = 200
Line = Annotated[str, Field(min_length=1, max_length=TEXT_LENGTH_MAX, pattern=r"^[^\x00-\x1f]*$")]


class DayRead(BaseModel):
    """`agency` is `*` for all; `basis` the decree, `edited_by` the caller who changed it here."""

    agency: str
    day: date
    kind: Kind
    name: str
    basis: str
    edited_by: str | None
    edited_at: datetime | None
    provenance: ProvenanceRead


class DayWrite(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: Kind
    name: Line
    basis: Line


class WeekWrite(BaseModel):
    """ISO weekdays an office works on: Monday 1 to Sunday 7."""

    model_config = ConfigDict(extra="forbid")

    weekdays: Annotated[set[Annotated[int, Field(ge=1, le=7)]], Field(min_length=1, max_length=7)]
    basis: Line


class CalendarRead(BaseModel):
    """`revision` rises with each change; `known_until` is the last day any decree names."""

    agency: str
    revision: int
    weekdays: list[int]
    known_until: date | None
    days: list[DayRead]


class DueRead(BaseModel):
    """`provisional` when the due date lies beyond the last day that any decree names."""

    start: date
    working_days: int
    due: date
    too_late_from: datetime
    skipped: list[date]
    provisional: bool
