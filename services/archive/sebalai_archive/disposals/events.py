"""Facts about disposals: ids, the kind and the root of the frozen list."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel
from sebalai_shared.events import Event

STEPPED = "archive.disposal.stepped.v1"
SOURCE = "urn:sebalai:archive"


class DisposalStepped(BaseModel):
    """A step was done; `list_root` is null until the list is frozen."""

    disposal_id: UUID
    agency: str
    kind: str
    step: str
    state: str
    list_root: str | None


PUBLISHED: dict[str, type[BaseModel]] = {STEPPED: DisposalStepped}


def stepped(fact: DisposalStepped, at: datetime) -> Event:
    return Event(STEPPED, SOURCE, str(fact.disposal_id), fact.model_dump(mode="json"), at)
