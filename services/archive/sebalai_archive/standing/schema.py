"""Wire shapes of standings."""

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints

from sebalai_archive.reader import Rank

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")]
Line = Annotated[
    str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")
]


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
