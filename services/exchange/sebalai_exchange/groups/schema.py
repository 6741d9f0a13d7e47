"""Wire shapes of groups of consumers."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from sebalai_exchange.names import ApplicationName, GroupName, Line


class GroupWanted(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: GroupName
    title: Line


class MemberWanted(BaseModel):
    model_config = ConfigDict(extra="forbid")

    application: ApplicationName


class GroupMemberRead(BaseModel):
    application: str
    state: Literal["invited", "joined"]
    invited_at: datetime
    joined_at: datetime | None


class GroupRead(BaseModel):
    id: UUID
    name: str
    owner: str
    title: str
    made_at: datetime
    members: list[GroupMemberRead]
