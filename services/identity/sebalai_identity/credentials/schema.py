"""Wire shapes of invitations."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from sebalai_identity.names import Slug

HOURS_MAX = 14 * 24


class InvitationMake(BaseModel):
    """`sponsor`: the agency that answers for an outsider without a place in the government."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    person_id: UUID
    sponsor: Slug | None = None
    forgets_factors: bool = Field(
        default=False, description="the person lost passkeys and codes; they go when it is used"
    )
    hours: int = Field(default=72, ge=1, le=HOURS_MAX)


class InvitationRead(BaseModel):
    """`code` is told this once and works once; `address` is the page with the code filled in."""

    code: str
    address: str
    expires_at: datetime
