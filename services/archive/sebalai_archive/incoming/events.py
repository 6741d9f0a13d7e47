"""Facts about incoming letters and dispositions: ids and slugs, no subject, no name, no person."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel
from sebalai_shared.events import Event

REGISTERED = "archive.letter.registered.v1"
DISPOSED = "archive.disposition.moved.v1"
SOURCE = "urn:sebalai:archive"


class LetterRegistered(BaseModel):
    """It stands in the agenda; `outgoing_id` is the sent letter when it came over the bus, whose
    sender takes this as the receipt.
    """

    letter_id: UUID
    agency: str
    sender: str | None
    outgoing_id: UUID | None


class DispositionMoved(BaseModel):
    disposition_id: UUID
    letter_id: UUID
    agency: str
    state: Literal["unread", "read", "followed_up", "done", "cancelled"]


PUBLISHED: dict[str, type[BaseModel]] = {
    REGISTERED: LetterRegistered,
    DISPOSED: DispositionMoved,
}


def registered(fact: LetterRegistered, at: datetime) -> Event:
    return Event(REGISTERED, SOURCE, str(fact.letter_id), fact.model_dump(mode="json"), at)


def moved(fact: DispositionMoved, at: datetime) -> Event:
    return Event(DISPOSED, SOURCE, str(fact.disposition_id), fact.model_dump(mode="json"), at)
