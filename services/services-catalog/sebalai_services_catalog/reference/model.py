"""Tables of the reference lists. Weights are exact: numeric, and fractions as two integers,
because 1/9 printed as 0.11 moves scores into another grade.
"""

from decimal import Decimal
from typing import Literal

from sebalai_shared.database import Base
from sqlalchemy import Numeric, Text
from sqlalchemy.orm import Mapped, mapped_column

from sebalai_services_catalog.provenance import Marked

Scheme = Literal["spbe", "pemdi"]


class Listed(Marked):
    """`position` is the order of the source."""

    position: Mapped[int]


class Audience(Listed, Base):
    __tablename__ = "audience"

    code: Mapped[str] = mapped_column(Text, primary_key=True)
    name_id: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str] = mapped_column(Text)
    channel: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text)
    identifier: Mapped[str] = mapped_column(Text)
    identity_source: Mapped[str] = mapped_column(Text)


class RabSector(Listed, Base):
    """First level of the government's business reference architecture (Perpres 132/2022)."""

    __tablename__ = "rab_sector"

    code: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)


class Indicator(Listed, Base):
    """`kind` tells process from service capability (SPBE); Pemdi has no domains."""

    __tablename__ = "indicator"

    scheme: Mapped[Scheme] = mapped_column(Text, primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    domain: Mapped[str | None] = mapped_column(Text)
    domain_weight: Mapped[Decimal | None] = mapped_column(Numeric)
    aspect: Mapped[str] = mapped_column(Text)
    aspect_weight: Mapped[Decimal] = mapped_column(Numeric)
    name: Mapped[str] = mapped_column(Text)
    weight: Mapped[Decimal] = mapped_column(Numeric)
    kind: Mapped[str | None] = mapped_column(Text)
    external_score_source: Mapped[str | None] = mapped_column(Text)


class GradeBand(Listed, Base):
    __tablename__ = "grade_band"

    scale: Mapped[str] = mapped_column(Text, primary_key=True)
    lower: Mapped[Decimal] = mapped_column(Numeric, primary_key=True)
    upper: Mapped[Decimal] = mapped_column(Numeric)
    grade: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text)


class SkmElement(Listed, Base):
    """Join on `identifier`: sources differ on which of the last two is U8."""

    __tablename__ = "skm_element"

    identifier: Mapped[str] = mapped_column(Text, primary_key=True)
    code: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    weight_numerator: Mapped[int]
    weight_denominator: Mapped[int]
    weight_rounded: Mapped[Decimal] = mapped_column(Numeric)
    scale_min: Mapped[int]
    scale_max: Mapped[int]


class ComplaintDeadline(Listed, Base):
    __tablename__ = "complaint_deadline"

    stage: Mapped[str] = mapped_column(Text, primary_key=True)
    category: Mapped[str] = mapped_column(Text, primary_key=True)
    limit: Mapped[int]
    unit: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text)


class KnownAgency(Listed, Base):
    """What an agency is called, for exports; identity owns agencies and their slugs."""

    __tablename__ = "known_agency"

    slug: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    short_name: Mapped[str] = mapped_column(Text)


class KnownRegion(Listed, Base):
    """The province, its kabupaten and kota, and their kecamatan, by Kemendagri code; identity owns
    regions and their other codes.
    """

    __tablename__ = "known_region"

    code: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
