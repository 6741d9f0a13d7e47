"""Wire shapes of the register of regulations."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from sebalai_services_catalog.provenance import ProvenanceRead
from sebalai_services_catalog.regulations.model import Regulation, Status

RegulationId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
Line = Annotated[str, Field(min_length=1, max_length=300, pattern=r"^[^\x00-\x1f]*$")]


class RegulationRead(BaseModel):
    id: str
    kind: str
    number: str
    year: int
    title: str
    status: Status
    changed_by_regulation: str | None
    edited_by: str | None
    edited_at: datetime | None
    provenance: ProvenanceRead

    @classmethod
    def of(cls, row: Regulation) -> "RegulationRead":
        fields = {name: getattr(row, name) for name in cls.model_fields if name != "provenance"}
        return cls(**fields, provenance=ProvenanceRead.of(row))


class RegulationWrite(BaseModel):
    """`kind` is uu, pp, perpres, permen, perda, pergub, keputusan, …"""

    model_config = ConfigDict(extra="forbid")

    kind: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,40}$")]
    number: Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f]*$")]
    year: Annotated[int, Field(ge=1900, le=2100)]
    title: Line
    status: Status
    changed_by_regulation: RegulationId | None = None
