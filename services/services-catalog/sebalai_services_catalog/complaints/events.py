"""Facts about complaints; never who complained or what was written."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel
from sebalai_shared.events import Event

from sebalai_services_catalog.complaints.machine import Act

SOURCE = "urn:sebalai:catalog"
PAST: dict[Act, str] = {
    "verify": "verification_started",
    "forward": "forwarded",
    "archive": "archived",
    "reassign": "reassigned",
    "take_up": "followed",
    "answer": "answered",
    "reply": "replied",
    "close": "closed",
    "expire": "expired",
}
RECEIVED = "catalog.complaint.received.v1"
BREACHED = "catalog.complaint.breached.v1"
RESCHEDULED = "catalog.complaint.rescheduled.v1"


class ComplaintMoved(BaseModel):
    complaint_id: UUID
    kind: str
    category: str
    service: str | None
    agency: str | None
    state_before: str | None
    state_after: str
    deadline_at: datetime | None


FACTS: dict[str, type[BaseModel]] = {
    **{f"catalog.complaint.{past}.v1": ComplaintMoved for past in PAST.values()},
    RECEIVED: ComplaintMoved,
    BREACHED: ComplaintMoved,
    RESCHEDULED: ComplaintMoved,
}


def fact(kind: str, data: ComplaintMoved, at: datetime) -> Event:
    return Event(kind, SOURCE, str(data.complaint_id), data.model_dump(mode="json"), at)
