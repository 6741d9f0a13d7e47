"""Wire shapes of agencies."""

from datetime import date
from uuid import UUID

from pydantic import BaseModel

from sebalai_identity.reference import Provenance


class OfficialCode(BaseModel):
    """The code of the ministry's scheme: an attribute, never a key."""

    value: str
    provenance: Provenance


class AgencyRead(BaseModel):
    id: UUID
    slug: str
    name: str
    short_name: str
    kind: str
    affairs: list[str]
    code: OfficialCode
    parent: str | None
    successor: str | None
    valid_from: date | None
    valid_to: date | None
    provenance: Provenance
