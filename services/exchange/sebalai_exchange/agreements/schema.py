"""Wire shapes of agreements."""

import re
from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from sebalai_exchange.names import ApplicationName, InterfaceName, Line, Slug

RULES_MAX = 50
PURPOSES_MAX = 20
DATA_CATEGORIES_MAX = 30
PATH_LENGTH_MAX = 300
QUOTA_PER_DAY_MAX = 100_000_000
RATE_PER_SECOND_MAX = 10_000
LIFE_MAX = timedelta(days=5 * 365 + 2)

State = Literal["requested", "granted", "suspended", "revoked", "expired"]
Method = Literal["*", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

_LITERAL = r"(?:[A-Za-z0-9._~!$&'()+,=:@-]|\\\*|\*)"
_PATH = re.compile(rf"/(?:{_LITERAL}*/)*{_LITERAL}*")
_LONG_NUMBER = re.compile(r"\d{16}")


def _glob(path: str) -> str:
    """The gateway compares decoded, canonical paths, so a glob must be one."""
    if not _PATH.fullmatch(path) or "***" in path or "//" in path:
        raise ValueError(
            "must begin with / and hold plain path characters, * , ** or \\*; no %, ?, # or //"
        )
    if any(segment in {".", ".."} for segment in path.split("/")):
        raise ValueError("must not hold . or .. segments")
    if _LONG_NUMBER.search(path):
        raise ValueError("must not hold a NIK; use * in its place")
    return path


Path = Annotated[str, StringConstraints(max_length=PATH_LENGTH_MAX), AfterValidator(_glob)]


class RuleWanted(BaseModel):
    model_config = ConfigDict(extra="forbid")

    method: Method
    path: Path


class Purpose(BaseModel):
    """Why data are asked for: a code sent with each call, and the law that allows it."""

    model_config = ConfigDict(extra="forbid")

    code: Slug
    legal_basis: Line


class AgreementRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    consumer: ApplicationName
    interface: InterfaceName
    rules: list[RuleWanted] = Field(min_length=1, max_length=RULES_MAX)
    purposes: list[Purpose] = Field(min_length=1, max_length=PURPOSES_MAX)
    data_categories: list[Slug] = Field(default_factory=list, max_length=DATA_CATEGORIES_MAX)
    valid_from: AwareDatetime | None = None
    valid_until: AwareDatetime
    quota_per_day: int = Field(default=100_000, ge=1, le=QUOTA_PER_DAY_MAX)
    rate_per_second: int = Field(default=50, ge=1, le=RATE_PER_SECOND_MAX)
    burst: int = Field(default=100, ge=1, le=RATE_PER_SECOND_MAX)


class StepReason(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Line


class Rule(RuleWanted):
    id: str


class AgreementRead(BaseModel):
    id: UUID
    state: State
    consumer: str
    provider: str
    interface: str
    rules: list[Rule]
    purposes: list[Purpose]
    data_categories: list[str]
    valid_from: datetime
    valid_until: datetime
    quota_per_day: int
    rate_per_second: int
    burst: int
    reason: str | None
    requested_by: str
    requested_at: datetime
    granted_by: str | None
    granted_at: datetime | None
    changed_at: datetime
