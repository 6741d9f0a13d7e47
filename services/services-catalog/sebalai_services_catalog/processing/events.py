"""Reactions to what exchange tells of agreements; only the fields we read are declared."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field
from sebalai_shared.events import SUBJECT_PREFIX

from sebalai_services_catalog.processing.model import AgreementState

STATES: dict[str, AgreementState] = {
    "exchange.agreement.granted.v1": "granted",
    "exchange.agreement.resumed.v1": "granted",
    "exchange.agreement.suspended.v1": "suspended",
    "exchange.agreement.revoked.v1": "revoked",
    "exchange.agreement.replaced.v1": "replaced",
}
SUBJECTS = tuple(SUBJECT_PREFIX + kind for kind in STATES)

Text = Annotated[str, Field(max_length=300)]
Codes = Annotated[list[Text], Field(max_length=100)]


class AgreementMoved(BaseModel):
    agreement_id: UUID
    consumer: Text
    provider: Text
    interface: Text
    purposes: Codes
    data_categories: Codes
    valid_from: datetime
    valid_until: datetime
