"""Wire shape of acts."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel


class ActRead(BaseModel):
    id: UUID
    at: datetime
    actor_kind: str
    actor: str
    agency: str | None
    act: str
    subject: str
    event_id: UUID | None
