"""Wire shapes of civil servants. A NIP holds a birth date: it comes by body, goes out masked."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, StringConstraints

from sebalai_identity.names import Slug
from sebalai_identity.wording import Instant, SecretNumber

# PNS `III/a` (PP 11/2017), PPPK groups `I` to `XVII` (Perpres 98/2020).
GRADE_PATTERN = (
    r"^(I|II|III|IV)/[a-e]$"
    r"|^(I|II|III|IV|V|VI|VII|VIII|IX|X|XI|XII|XIII|XIV|XV|XVI|XVII)$"
)

Grade = Annotated[str, StringConstraints(pattern=GRADE_PATTERN)]


class CivilServantEnlist(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    person_id: UUID
    nip: SecretNumber
    agency: Slug
    grade: Grade | None = None
    valid_from: Instant
    valid_until: Instant | None = None


class CivilServantFind(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    nip: SecretNumber


class CivilServantRead(BaseModel):
    person_id: UUID
    nip_masked: str
    employment: str
    grade: str | None
    agency: str
    valid_from: datetime
    valid_until: datetime | None
    changed_at: datetime
