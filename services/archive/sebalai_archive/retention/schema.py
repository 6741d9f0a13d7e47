"""Wire shape of retention rules."""

from pydantic import BaseModel

from sebalai_archive.provenance import ProvenanceRead
from sebalai_archive.retention.schedule import Fate


class RetentionRuleRead(BaseModel):
    classification: str
    series: str
    active_years: int
    inactive_years: int
    final_disposition: Fate
    security_class: str
    exception: str | None
    provenance: ProvenanceRead
