"""Wire shapes of government affairs (urusan)."""

from pydantic import BaseModel

from sebalai_identity.reference import Provenance


class AffairRead(BaseModel):
    code: str
    name: str
    group: str
    provenance: Provenance
