"""Wire shapes of standings."""

from datetime import datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict

from sebalai_archive.reader import Rank
from sebalai_archive.texts import Line, Slug


class StandingSet(BaseModel):
    model_config = ConfigDict(extra="forbid")

    agency: Slug
    unit: Slug | None = None
    rank: Rank
    is_archivist: bool = False
    assignment: Line | None = None
    valid_from: AwareDatetime | None = None
    valid_until: AwareDatetime | None = None


class StandingRead(BaseModel):
    subject: str
    agency: str
    unit: str | None
    rank: Rank
    is_archivist: bool
    assignment: str | None
    valid_from: datetime
    valid_until: datetime | None
