"""Wire shapes of calls."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel

Outcome = Literal["answered", "refused", "failed", "unknown"]


class CallRead(BaseModel):
    """In the redacted view everything from `consumer` down to `rule` is null."""

    message_id: UUID
    at: datetime
    consumer_agency: str | None
    interface: str | None
    method: str | None
    outcome: str
    status: int | None
    trace_id: str | None
    consumer: str | None = None
    provider: str | None = None
    problem: str | None = None
    purpose: str | None = None
    agreement: str | None = None
    rule: str | None = None
