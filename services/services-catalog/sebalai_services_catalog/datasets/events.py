"""Facts about datasets."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel
from sebalai_shared.events import Event

PUBLISHED = "catalog.dataset.published.v1"
REMOVED = "catalog.dataset.removed.v1"
SOURCE = "urn:sebalai:catalog"


class DatasetMoved(BaseModel):
    """A dataset's metadata are read by everybody from now on, or by nobody any more."""

    dataset_id: UUID
    slug: str
    agency: str
    revision: int


FACTS: dict[str, type[BaseModel]] = {PUBLISHED: DatasetMoved, REMOVED: DatasetMoved}


def moved(kind: str, fact: DatasetMoved, at: datetime) -> Event:
    return Event(kind, SOURCE, str(fact.dataset_id), fact.model_dump(mode="json"), at)
