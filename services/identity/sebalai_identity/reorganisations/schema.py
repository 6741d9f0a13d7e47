"""Wire shapes of reorganisations."""

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from sebalai_identity.names import Slug
from sebalai_identity.wording import Decree, Reason, Title


class AgencyRename(BaseModel):
    """From `on`, which has come: the former name is kept with its last day."""

    model_config = ConfigDict(extra="forbid")

    name: Title
    short_name: Title
    on: date
    decree: Decree


class AgencyEnd(BaseModel):
    """A merger is the end of several agencies with one successor."""

    model_config = ConfigDict(extra="forbid")

    on: date
    successor: Slug | None = None
    decree: Decree
    reason: Reason


class AgencyReorganised(BaseModel):
    slug: str
    name: str
    short_name: str
    valid_to: date | None
    positions_ended: int
    postings_ended: int


class FormerName(BaseModel):
    name: str
    short_name: str
    until: date
    decree: str


class PositionAbolished(BaseModel):
    id: UUID
    valid_until: datetime | None
    postings_ended: int
