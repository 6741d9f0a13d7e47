"""Wire shapes of role grants."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from sebalai_identity.names import Slug
from sebalai_identity.roles.model import RoleCode
from sebalai_identity.wording import Decree, Instant, Reason


class GrantAsk(BaseModel):
    model_config = ConfigDict(extra="forbid")

    person_id: UUID
    role: RoleCode
    agency: Slug | None = None
    decree: Decree
    valid_from: Instant
    valid_until: Instant | None = None


class GrantDecide(BaseModel):
    model_config = ConfigDict(extra="forbid")

    decision: Literal["approve", "refuse"]


class GrantRevoke(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Reason


class GrantRead(BaseModel):
    id: UUID
    person_id: UUID
    role: str
    agency: str | None
    decree: str
    state: str
    reason: str | None
    valid_from: datetime
    valid_until: datetime | None
    asked_by: str
    decided_by: str | None
    recorded_at: datetime


class RoleRead(BaseModel):
    code: str
    scopes: list[str]
    is_sensitive: bool
    is_of_agency: bool
