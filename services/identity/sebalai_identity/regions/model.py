"""Table of regions."""

from sebalai_shared.database import Base
from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column


class Region(Base):
    """Province, kabupaten, kota, kecamatan. Two numberings exist and they do not agree."""

    __tablename__ = "region"

    kemendagri_code: Mapped[str] = mapped_column(primary_key=True)
    bps_code: Mapped[str | None]
    name: Mapped[str]
    kind: Mapped[str]
    capital: Mapped[str | None]
    parent_code: Mapped[str | None] = mapped_column(ForeignKey("region.kemendagri_code"))
    status: Mapped[str]
    source: Mapped[str]
    bps_status: Mapped[str | None]
    bps_source: Mapped[str | None]
    bps_note: Mapped[str | None]
