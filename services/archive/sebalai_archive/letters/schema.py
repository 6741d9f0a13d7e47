"""Wire shape of letter types."""

from pydantic import BaseModel

from sebalai_archive.provenance import ProvenanceRead


class LetterTypeRead(BaseModel):
    code: str
    name: str
    group: str
    subgroup: str | None
    provenance: ProvenanceRead
