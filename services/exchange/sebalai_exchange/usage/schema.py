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


class DeviationRead(BaseModel):
    """`deviation` names the place and the rule of the contract; `calls` those it was seen in."""

    interface: str
    contract_sha256: str
    deviation: str
    calls: int
    first_at: datetime
    last_at: datetime


class DeviationList(BaseModel):
    items: list[DeviationRead]


class StatisticsRow(BaseModel):
    """Times in milliseconds; the provider's are null where it was not called."""

    interface: str | None
    consumer: str | None
    outcome: str
    problem: str | None
    calls: int
    server_errors: int
    total_ms_p50: float | None
    total_ms_p95: float | None
    provider_ms_p50: float | None
    provider_ms_p95: float | None


class Statistics(BaseModel):
    """At most 1000 rows, the most calls first."""

    since: datetime
    until: datetime
    items: list[StatisticsRow]
