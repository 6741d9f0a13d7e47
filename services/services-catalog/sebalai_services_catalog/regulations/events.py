"""The fact that the standing of a regulation changed."""

from datetime import datetime

from pydantic import BaseModel
from sebalai_shared.events import Event

CHANGED = "catalog.regulation.changed.v1"
SOURCE = "urn:sebalai:catalog"


class RegulationChanged(BaseModel):
    """`status` is berlaku, diubah or dicabut."""

    regulation: str
    status: str
    changed_by_regulation: str | None


FACTS: dict[str, type[BaseModel]] = {CHANGED: RegulationChanged}


def changed(fact: RegulationChanged, at: datetime) -> Event:
    subject = f"regulation/{fact.regulation}"
    return Event(CHANGED, SOURCE, subject, fact.model_dump(mode="json"), at)
