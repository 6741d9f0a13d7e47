"""Wire shapes of regions: a code never travels without the name of its scheme."""

from typing import Literal

from pydantic import BaseModel

from sebalai_identity.reference import Provenance

Scheme = Literal["kemendagri", "bps"]


class RegionCode(BaseModel):
    scheme: Scheme
    value: str
    provenance: Provenance
    note: str | None = None


class RegionRead(BaseModel):
    name: str
    kind: str
    capital: str | None
    codes: list[RegionCode]
    parent: RegionCode | None
    provenance: Provenance
