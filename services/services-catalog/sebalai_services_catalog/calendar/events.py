"""The fact that the calendar changed."""

from datetime import date, datetime

from pydantic import BaseModel
from sebalai_shared.events import Event

CHANGED = "catalog.calendar.changed.v1"
SOURCE = "urn:sebalai:catalog"


class CalendarChanged(BaseModel):
    """`agency` is `*` for all; `day` null when the week of the agency changed."""

    agency: str
    day: date | None
    revision: int


FACTS: dict[str, type[BaseModel]] = {CHANGED: CalendarChanged}


def changed(fact: CalendarChanged, at: datetime) -> Event:
    return Event(CHANGED, SOURCE, f"calendar/{fact.agency}", fact.model_dump(mode="json"), at)
