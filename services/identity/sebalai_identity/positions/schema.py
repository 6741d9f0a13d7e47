"""Wire shapes of positions."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, StringConstraints

from sebalai_identity.names import Slug
from sebalai_identity.wording import Decree, Instant, Title

# UU 20/2023: managerial posts and the two kinds that are not; a regional head is neither.
PositionKind = Literal[
    "kepala_daerah",
    "jpt_madya",
    "jpt_pratama",
    "administrator",
    "pengawas",
    "fungsional",
    "pelaksana",
]
Eselon = Annotated[str, StringConstraints(pattern=r"^(I|II|III|IV)\.[ab]$")]


class PositionEstablish(BaseModel):
    model_config = ConfigDict(extra="forbid")

    agency: Slug
    code: Slug
    title: Title
    kind: PositionKind
    eselon: Eselon | None = None
    supervisor_id: UUID | None = None
    decree: Decree
    valid_from: Instant
    valid_until: Instant | None = None


class PositionRead(BaseModel):
    id: UUID
    agency: str
    code: str
    title: str
    kind: str
    eselon: str | None
    supervisor_id: UUID | None
    decree: str
    source: str
    valid_from: datetime
    valid_until: datetime | None
