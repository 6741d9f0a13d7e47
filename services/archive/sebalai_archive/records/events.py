"""Facts about records. They leave the archive: ids and a salted commitment, no title, no name."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel
from sebalai_shared.events import Event

DECLARED = "archive.record.declared.v1"
SOURCE = "urn:sebalai:archive"


class RecordDeclared(BaseModel):
    """`commitment` is hex SHA-256 over a salt, which stays here, and the declared statement."""

    record_id: UUID
    agency: str
    application: str
    commitment: str


PUBLISHED: dict[str, type[BaseModel]] = {DECLARED: RecordDeclared}


def declared(event_id: UUID, fact: RecordDeclared, at: datetime) -> Event:
    data = fact.model_dump(mode="json")
    return Event(DECLARED, SOURCE, str(fact.record_id), data, at, id=event_id)
