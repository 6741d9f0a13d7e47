"""Wire shape of an authority."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel


class PostingHeld(BaseModel):
    id: UUID
    position_id: UUID
    agency: str
    kind: str
    is_acting: bool
    until: datetime | None


class DelegationHeld(BaseModel):
    id: UUID
    kind: str
    posting_id: UUID
    position_id: UUID
    agency: str
    matters: list[str]
    until: datetime | None


class RoleHeld(BaseModel):
    grant_id: UUID
    role: str
    agency: str | None
    scopes: list[str]
    until: datetime | None


class BusinessHeld(BaseModel):
    """`matters` null: the representation is limited to none."""

    representation_id: UUID
    business_id: UUID
    capacity: str
    matters: list[str] | None
    until: datetime | None


class AuthorityRead(BaseModel):
    """`until` is the earliest end of all that is held; null when nothing here ends."""

    person_id: UUID
    at: datetime
    is_active: bool
    postings: list[PostingHeld]
    delegations: list[DelegationHeld]
    roles: list[RoleHeld]
    businesses: list[BusinessHeld]
    until: datetime | None
