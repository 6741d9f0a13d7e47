"""Wire shapes of the exchange's state."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from sebalai_archive.national.model import Direction, State


class SyncRead(BaseModel):
    """`waiting_seconds`: how long the longest waiting letter has stood in the queue."""

    states: dict[State, int]
    waiting_seconds: float = Field(ge=0)
    last_done: datetime | None
    list_read_to: str | None
    list_read_at: datetime | None


class SyncItemRead(BaseModel):
    """`letter`: the outgoing one, or the incoming one once it is here."""

    id: UUID
    direction: Direction
    agency: str
    letter: UUID | None
    national_id: str | None
    state: State
    attempts: int
    next_at: datetime | None
    problem: str | None
    changed_at: datetime
