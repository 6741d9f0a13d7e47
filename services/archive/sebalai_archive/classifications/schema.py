"""Wire shape of classification codes."""

from pydantic import BaseModel

from sebalai_archive.provenance import ProvenanceRead


class ClassificationRead(BaseModel):
    code: str
    name: str
    parent: str | None
    provenance: ProvenanceRead
