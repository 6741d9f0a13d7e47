"""The shapes the portal reads from other members' answers: only the fields it shows. A field more
does not disturb it; a mark that is missing counts as not verified.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

VERIFIED = "verified"


class _Marked(BaseModel):
    """A row of reference data with its provenance mark."""

    is_verified: bool = False

    @model_validator(mode="before")
    @classmethod
    def _read_mark(cls, row: Any) -> Any:
        if not isinstance(row, dict):
            return row
        mark = row.get("verified", row.get("provenance"))
        return row | {"is_verified": mark is True or mark == VERIFIED}


class Agency(_Marked):
    slug: str
    name: str
    short_name: str | None = None


class AgencyPage(BaseModel):
    items: list[Agency]
    next: str | None = None


class Service(_Marked):
    name: str
    agency: str
    summary: str | None = None


class ServicePage(BaseModel):
    items: list[Service]
    next: str | None = None


class Digest(BaseModel):
    sha256: str
    bytes: int


class Call(BaseModel):
    """A call as the record keeps it (wiring, section 9); a refusal has no provider times."""

    message_id: UUID
    requested_at: datetime
    forwarded_at: datetime | None = None
    responded_at: datetime | None = None
    completed_at: datetime | None = None
    consumer: str | None = None
    interface: str | None = None
    provider: str | None = None
    method: str
    outcome: str
    status: int | None = None
    problem: str | None = None
    agreement: UUID | None = None
    rule: str | None = None
    purpose: str | None = None
    legal_basis: str | None = None
    trace_id: str | None = None
    correlation_id: str | None = None
    request: Digest | None = None
    response: Digest | None = None


class CallPage(BaseModel):
    items: list[Call] = Field(default_factory=list[Call])
    next: str | None = None
