"""Wire shapes of persons. A NIK comes in by body alone and goes out masked."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from sebalai_identity.names import TEXT_PATTERN
from sebalai_identity.wording import Instant, Reason, SecretNumber

NAME_LENGTH_MAX = 200

Assurance = Annotated[
    Literal[1, 2, 3],
    Field(description="1 said by the person, 2 checked against Dukcapil, 3 seen in person"),
]
PersonName = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=NAME_LENGTH_MAX, pattern=TEXT_PATTERN
    ),
]


class PersonRegister(BaseModel):
    """Without a NIK (a foreigner, a partner) somebody sponsors the person until `valid_until`."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    name: PersonName
    nik: SecretNumber | None = None
    birth_date: date | None = None
    assurance: Assurance = 1
    valid_until: Instant | None = None


class PersonChange(BaseModel):
    """What is left out stays as it is."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    name: PersonName | None = None
    assurance: Assurance | None = None
    valid_until: Instant | None = None


class PersonFind(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    nik: SecretNumber


class ComparisonRead(BaseModel):
    """False also for a person whose NIK is not known here."""

    is_same: bool


class PersonDeactivate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Reason


class PersonRead(BaseModel):
    id: UUID
    name: str
    nik_masked: str | None
    birth_date: date | None
    assurance: int
    source: str
    state: str
    reason: str | None
    valid_until: datetime | None
    version: int
    created_at: datetime
    changed_at: datetime
