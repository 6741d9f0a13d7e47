"""Facts about consents and fetches: ids and codes; nothing of the person, nothing of the answer."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel
from sebalai_shared.events import Event

from sebalai_services_catalog.evidence.machine import Act

SOURCE = "urn:sebalai:catalog"
TYPES: dict[Act, str] = {
    "give": "catalog.consent.granted.v1",
    "withdraw": "catalog.consent.revoked.v1",
    "expire": "catalog.consent.expired.v1",
    "fetch": "catalog.evidence.fetched.v1",
    "fail": "catalog.evidence.failed.v1",
    "accept": "catalog.evidence.accepted.v1",
    "decline": "catalog.evidence.declined.v1",
}


class ConsentMoved(BaseModel):
    """`message_id` names the call on the bus; `outcome` why a fetch failed."""

    consent_id: UUID
    request_id: UUID
    service: str
    agency: str
    evidence_type: str
    holder: str
    state: str
    outcome: str | None
    message_id: UUID | None


FACTS: dict[str, type[BaseModel]] = dict.fromkeys(TYPES.values(), ConsentMoved)


def fact(act: Act, data: ConsentMoved, at: datetime) -> Event:
    return Event(TYPES[act], SOURCE, str(data.consent_id), data.model_dump(mode="json"), at)
