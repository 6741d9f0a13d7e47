"""Wire shapes of complaints."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from sebalai_services_catalog.complaints.machine import Act, Kind, PublicState, Role, State

_PLAIN = r"^[^\x00]*$"
Title = Annotated[str, Field(min_length=5, max_length=150, pattern=_PLAIN)]
Body = Annotated[str, Field(min_length=10, max_length=4_000, pattern=_PLAIN)]
Note = Annotated[str, Field(min_length=1, max_length=4_000, pattern=_PLAIN)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
AgencySlug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")]
Code = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]*$")]


class _Write(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ComplaintCreate(_Write):
    """`anonymous`: nobody learns who it was; `secret`: the public learns nothing of it.

    `request` joins it to a request that the caller may see; of an anonymous one only service and
    agency are kept.
    """

    kind: Kind
    title: Title
    body: Body
    anonymous: bool = False
    secret: bool = False
    reporter_name: Annotated[str, Field(max_length=200, pattern=_PLAIN)] | None = None
    service: Slug | None = None
    request: UUID | None = None


class _Act(_Write):
    revision: Annotated[int, Field(ge=1, le=2**31 - 1)]


class Verify(_Act):
    act: Literal["verify", "take_up"]


class Forward(_Act):
    """`needs_examination`: of supervision kind, which has 60 working days instead of 14."""

    act: Literal["forward"]
    agency: AgencySlug
    needs_examination: bool = False


class Reassign(_Act):
    act: Literal["reassign"]
    agency: AgencySlug
    text: Note


class Worded(_Act):
    """`archive` with the reason, `answer` with what the reporter and the public read."""

    act: Literal["archive", "answer"]
    text: Note


class Reporting(_Act):
    """The reporter's; `code` is the one given at filing, for who has no login."""

    act: Literal["reply", "close"]
    text: Note | None = None
    code: Code | None = None


ActWrite = Annotated[Verify | Forward | Reassign | Worded | Reporting, Field(discriminator="act")]


class ComplaintRead(BaseModel):
    id: UUID
    ticket: str
    kind: Kind
    anonymous: bool
    secret: bool
    reporter_name: str | None
    title: str
    body: str
    service: str | None
    request_id: UUID | None
    agency: str | None
    category: str
    state: State
    public_state: PublicState
    revision: int
    possible: list[Act]
    received_at: datetime
    deadline_at: datetime | None
    breached_stage: str | None
    answer: str | None
    reason: str | None


class ComplaintActRead(BaseModel):
    """`text` is what was said with it: the answer, the reply, the reason. Who is told by role."""

    model_config = ConfigDict(from_attributes=True)

    act: Act
    role: Role
    state_before: State
    state_after: State
    agency: str | None
    at: datetime
    text: str | None


class ComplaintFiled(ComplaintRead):
    """`reply_code` is shown once: it lets the reporter answer back without a login."""

    reply_code: str


class ComplaintStatus(BaseModel):
    """What anyone with the number sees; of a secret complaint neither title nor answer."""

    ticket: str
    kind: Kind
    state: PublicState
    agency: str | None
    title: str | None
    answer: str | None
    received_at: datetime
    deadline_at: datetime | None
