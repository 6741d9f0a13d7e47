"""Wire shapes of agreements."""

import re
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from sebalai_exchange.names import ConsumerName, InterfaceName, Line, Slug

RULES_MAX = 50
PURPOSES_MAX = 20
DATA_CATEGORIES_MAX = 30
# The longest that any event is kept.
KEEP_DAYS_MAX = 3_650
PATH_LENGTH_MAX = 300
QUOTA_PER_DAY_MAX = 100_000_000
RATE_PER_SECOND_MAX = 10_000
LIFE_MAX = timedelta(days=5 * 365 + 2)

State = Literal["requested", "granted", "suspended", "revoked", "expired", "replaced"]
ASSURANCE_MAX = 3
BOUND_ADDRESSES_MAX = 32
BOUND_CERTIFICATES_MAX = 8
Signing = Literal["none", "request", "both"]
QUOTA_PER_MONTH_MAX = 3_100_000_000
Method = Literal[
    "*", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "SUBSCRIBE", "PUBLISH"
]

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
    """Why data are asked for: a code sent with each call, and the law that allows it. `keep_days`:
    how far back events may be heard for it, in place of what their type says; shorter for a
    purpose that is over sooner, longer for one the law gives more time.
    """

    model_config = ConfigDict(extra="forbid")

    code: Slug
    legal_basis: Line
    keep_days: int | None = Field(default=None, ge=1, le=KEEP_DAYS_MAX)


def _range(text: str) -> str:
    """A network without host bits, so that one range has one spelling."""
    try:
        return str(ip_network(text))
    except ValueError as error:
        raise ValueError("must be an address or a CIDR range without host bits") from error


AddressRange = Annotated[str, StringConstraints(max_length=50), AfterValidator(_range)]
Thumbprint = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Terms(BaseModel):
    """What is agreed. `min_assurance` is the least `acr` of a person's token (0: a system alone
    will do); `bound_addresses` are ranges calls must come from, `bound_certificates` the hex
    SHA-256 of client certificates; empty lists bind nothing. `signing`: who signs each message
    (RFC 9421, r1 section 4b): nobody, the consumer its request, or the provider its answer as well.
    """

    model_config = ConfigDict(extra="forbid")

    rules: list[RuleWanted] = Field(min_length=1, max_length=RULES_MAX)
    purposes: list[Purpose] = Field(min_length=1, max_length=PURPOSES_MAX)
    data_categories: list[Slug] = Field(default_factory=list, max_length=DATA_CATEGORIES_MAX)
    valid_from: AwareDatetime | None = None
    valid_until: AwareDatetime
    quota_per_day: int = Field(default=100_000, ge=1, le=QUOTA_PER_DAY_MAX)
    rate_per_second: int = Field(default=50, ge=1, le=RATE_PER_SECOND_MAX)
    burst: int = Field(default=100, ge=1, le=RATE_PER_SECOND_MAX)
    quota_per_month: int | None = Field(default=None, ge=1, le=QUOTA_PER_MONTH_MAX)
    min_assurance: int = Field(default=0, ge=0, le=ASSURANCE_MAX)
    bound_addresses: list[AddressRange] = Field(
        default_factory=list, max_length=BOUND_ADDRESSES_MAX
    )
    bound_certificates: list[Thumbprint] = Field(
        default_factory=list, max_length=BOUND_CERTIFICATES_MAX
    )
    signing: Signing = "none"


class AgreementRequest(Terms):
    """`consumer` is an application, or a group of them (`…/groups/{slug}`)."""

    consumer: ConsumerName
    interface: InterfaceName


class StepReason(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Line


class Rule(RuleWanted):
    id: str


class Approval(BaseModel):
    by: str
    at: datetime


class AgreementRead(BaseModel):
    """`series` stays the same over versions; `approvals_needed` is 2 for specific data."""

    id: UUID
    series: UUID
    version: int
    replaces: UUID | None
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
    quota_per_month: int | None
    rate_per_second: int
    burst: int
    min_assurance: int
    bound_addresses: list[str]
    bound_certificates: list[str]
    signing: Signing
    asking_side: Literal["consumer", "provider"]
    approvals: list[Approval]
    approvals_needed: int
    reason: str | None
    requested_by: str
    requested_at: datetime
    granted_by: str | None
    granted_at: datetime | None
    changed_at: datetime


class DataCategoryRead(BaseModel):
    code: str
    title: str
    is_specific: bool
    law: str


class DataCategoryList(BaseModel):
    items: list[DataCategoryRead]
