"""Facts about damage: the kind and when; not which bytes, whose digest may be guessed from."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel
from sebalai_shared.events import Event

DAMAGED = "archive.content.damaged.v1"
SOURCE = "urn:sebalai:archive"


class ContentDamaged(BaseModel):
    """`outcome` is repaired or lost; `damage_id` names the archive's own note of it."""

    damage_id: UUID
    outcome: str


PUBLISHED: dict[str, type[BaseModel]] = {DAMAGED: ContentDamaged}


def damaged(fact: ContentDamaged, at: datetime) -> Event:
    return Event(DAMAGED, SOURCE, str(fact.damage_id), fact.model_dump(mode="json"), at)
