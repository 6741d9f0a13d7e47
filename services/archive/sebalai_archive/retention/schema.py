"""Wire shape of retention rules."""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from sebalai_archive.provenance import ProvenanceRead
from sebalai_archive.reader import SecurityClass
from sebalai_archive.retention.schedule import Fate, TriggerKind
from sebalai_archive.texts import LongLine


class RetentionRuleAdd(BaseModel):
    """A new version of a code's rule. It holds from `valid_from`, which lies not in the past."""

    model_config = ConfigDict(extra="forbid")

    series: LongLine
    active_years: Annotated[int, Field(ge=0, le=100)]
    inactive_years: Annotated[int, Field(ge=0, le=100)]
    final_disposition: Fate
    security_class: SecurityClass
    valid_from: date
    trigger: TriggerKind = "setelah_berkas_ditutup"
    offset_months: Annotated[int, Field(ge=0, le=1200)] = 0
    exception: LongLine | None = None
    legal_basis: LongLine


class RetentionRuleRead(BaseModel):
    classification: str
    version: int
    valid_from: date
    trigger: str
    offset_months: int
    legal_basis: str | None
    series: str
    active_years: int
    inactive_years: int
    final_disposition: Fate
    security_class: str
    exception: str | None
    provenance: ProvenanceRead
