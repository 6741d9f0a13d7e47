"""Wire shapes of publishing. The event itself is a CloudEvent (`envelope.py`)."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel


class PublicationRead(BaseModel):
    """`repeated`: the same source and id were stored before; this is what was answered then."""

    event_id: UUID
    source: str
    id: str
    stored_at: datetime
    repeated: bool


class PublicationsRead(BaseModel):
    events: list[PublicationRead]
