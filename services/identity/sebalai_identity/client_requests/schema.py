"""Wire shapes of requests for a client."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from sebalai_identity.wording import Reason


class ClientDecide(BaseModel):
    model_config = ConfigDict(extra="forbid")

    decision: Literal["approve", "refuse"]
    reason: Reason


class ClientRequestRead(BaseModel):
    id: UUID
    agency: str
    name: str
    wanted: dict[str, Any]
    state: str
    reason: str | None
    asked_by: str
    confirmed_by: str | None
    decided_by: str | None
    application_id: UUID | None
    client_id: UUID | None
    requested_at: datetime
    decided_at: datetime | None
