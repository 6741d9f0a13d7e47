"""Facts about letters that leave the archive: ids and slugs, no subject, no name."""

from uuid import UUID

from pydantic import BaseModel
from sebalai_shared.clock import Clock
from sebalai_shared.events import Event
from sebalai_shared.ids import uuid7

DISPATCHED = "archive.letter.dispatched.v1"
SOURCE = "urn:sebalai:archive"


class LetterDispatched(BaseModel):
    """`to` are the agencies that get it over the bus; they fetch it by its record."""

    letter_id: UUID
    record_id: UUID
    agency: str
    to: list[str]


PUBLISHED: dict[str, type[BaseModel]] = {DISPATCHED: LetterDispatched}


def dispatched(clock: Clock, fact: LetterDispatched) -> Event:
    data = fact.model_dump(mode="json")
    return Event(DISPATCHED, SOURCE, str(fact.letter_id), data, clock.now(), id=uuid7())
