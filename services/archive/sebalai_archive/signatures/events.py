"""Facts about signed files: ids, levels and a salted commitment, no name, no digest of a file."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel
from sebalai_shared.events import Event

RECORDED = "archive.signature.recorded.v1"
SOURCE = "urn:sebalai:archive"


class SignatureRecorded(BaseModel):
    """A file was signed (`place` 1) or added to. `commitment` is hex SHA-256 over the record's
    salt and the statement of the revision, both of which stay in the archive.
    """

    record_id: UUID
    agency: str
    place: int
    profile: str
    state: str
    commitment: str


PUBLISHED: dict[str, type[BaseModel]] = {RECORDED: SignatureRecorded}


def recorded(event_id: UUID, fact: SignatureRecorded, at: datetime) -> Event:
    data = fact.model_dump(mode="json")
    return Event(RECORDED, SOURCE, str(fact.record_id), data, at, id=event_id)
