"""Wire shapes of civil service ranks."""

from pydantic import BaseModel

from sebalai_identity.reference import Provenance


class RankRead(BaseModel):
    grade: str
    name: str
    position: int
    provenance: Provenance
