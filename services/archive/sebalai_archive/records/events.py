"""Facts about records. They leave the archive: ids and a salted commitment, no title, no name."""

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel
from sebalai_shared.events import Event

DECLARED = "archive.record.declared.v1"
DESTROYED = "archive.record.destroyed.v1"
TRIGGERED = "archive.record.triggered.v1"
ERASED = "archive.record.erased.v1"
SOURCE = "urn:sebalai:archive"


class RecordDeclared(BaseModel):
    """`commitment` is hex SHA-256 over a salt, which stays here, and the declared statement."""

    record_id: UUID
    agency: str
    application: str
    commitment: str


class RecordDestroyed(BaseModel):
    """Its content is destroyed by decree; metadata, digest and proofs remain."""

    record_id: UUID
    agency: str
    disposal_id: UUID


class RecordErased(BaseModel):
    """Its bytes were looked for in every store and not found."""

    record_id: UUID
    disposal_id: UUID


class RecordTriggered(BaseModel):
    """The act that starts its retention was set or corrected."""

    record_id: UUID
    agency: str
    trigger_date: date


PUBLISHED: dict[str, type[BaseModel]] = {
    DECLARED: RecordDeclared,
    DESTROYED: RecordDestroyed,
    ERASED: RecordErased,
    TRIGGERED: RecordTriggered,
}


def declared(event_id: UUID, fact: RecordDeclared, at: datetime) -> Event:
    data = fact.model_dump(mode="json")
    return Event(DECLARED, SOURCE, str(fact.record_id), data, at, id=event_id)


def destroyed(fact: RecordDestroyed, at: datetime) -> Event:
    return Event(DESTROYED, SOURCE, str(fact.record_id), fact.model_dump(mode="json"), at)


def erased(fact: RecordErased, at: datetime) -> Event:
    return Event(ERASED, SOURCE, str(fact.record_id), fact.model_dump(mode="json"), at)


def triggered(fact: RecordTriggered, at: datetime) -> Event:
    return Event(TRIGGERED, SOURCE, str(fact.record_id), fact.model_dump(mode="json"), at)
