"""Wire shapes of calls."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel

Outcome = Literal["answered", "refused", "failed", "unknown"]


class CallRead(BaseModel):
    """Names as in the journal record. In the redacted view `consumer` ends with the agency,
    `purpose` stands only on the viewer's own calls, and all from `forwarded_at` down is null.
    """

    message_id: UUID
    requested_at: datetime
    completed_at: datetime
    consumer_agency: str | None
    consumer: str | None
    interface: str | None
    method: str | None
    outcome: str
    status: int | None
    trace_id: str | None
    purpose: str | None
    forwarded_at: datetime | None = None
    responded_at: datetime | None = None
    provider: str | None = None
    problem: str | None = None
    legal_basis: str | None = None
    agreement: str | None = None
    rule: str | None = None
    correlation_id: str | None = None
