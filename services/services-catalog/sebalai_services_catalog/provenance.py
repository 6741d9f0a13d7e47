"""How sure a reference row is, as columns of its table and on the wire."""

from typing import Literal

from pydantic import BaseModel
from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

Status = Literal["verified", "partly", "unverified", "inferred", "synthetic"]


class Marked:
    """Columns of every table that is loaded from the reference folder."""

    provenance_status: Mapped[Status] = mapped_column(Text)
    provenance_source: Mapped[str] = mapped_column(Text)


class ProvenanceRead(BaseModel):
    status: Status
    source: str

    @classmethod
    def of(cls, row: Marked) -> "ProvenanceRead":
        return cls(status=row.provenance_status, source=row.provenance_source)
