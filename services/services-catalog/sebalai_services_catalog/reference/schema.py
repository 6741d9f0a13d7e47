"""Wire shapes of the reference lists. Exact numbers travel as text (`"2.75"`, `"1/9"`)."""

from decimal import Decimal
from typing import Self

from pydantic import BaseModel, ConfigDict
from sebalai_shared.database import row_dict

from sebalai_services_catalog.provenance import ProvenanceRead
from sebalai_services_catalog.reference.model import Listed, Scheme, SkmElement


class ListedRead(BaseModel):
    model_config = ConfigDict(extra="ignore")

    provenance: ProvenanceRead

    @classmethod
    def of(cls, row: Listed) -> Self:
        return cls.model_validate({**row_dict(row), "provenance": ProvenanceRead.of(row)})


class AudienceRead(ListedRead):
    code: str
    name_id: str
    name_en: str
    channel: str
    description: str
    identifier: str
    identity_source: str


class RabSectorRead(ListedRead):
    code: str
    name: str


class IndicatorRead(ListedRead):
    scheme: Scheme
    number: int
    domain: str | None
    domain_weight: Decimal | None
    aspect: str
    aspect_weight: Decimal
    name: str
    weight: Decimal
    kind: str | None
    external_score_source: str | None


class GradeBandRead(ListedRead):
    scale: str
    lower: Decimal
    upper: Decimal
    grade: str
    note: str


class SkmElementRead(ListedRead):
    """`weight` is the exact fraction; `weight_rounded` is printed by the rule and only for reports
    that name it.
    """

    identifier: str
    code: str
    name: str
    weight: str
    weight_rounded: Decimal
    scale_min: int
    scale_max: int

    @classmethod
    def of(cls, row: Listed) -> Self:
        assert isinstance(row, SkmElement)  # noqa: S101 - the table of lists pairs them
        weight = f"{row.weight_numerator}/{row.weight_denominator}"
        mark = ProvenanceRead.of(row)
        return cls.model_validate({**row_dict(row), "weight": weight, "provenance": mark})


class ComplaintDeadlineRead(ListedRead):
    stage: str
    category: str
    limit: int
    unit: str
    note: str
