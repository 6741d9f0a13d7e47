"""Table of civil service ranks."""

from sebalai_shared.database import Base
from sqlalchemy.orm import Mapped, mapped_column


class Rank(Base):
    """A grade (golongan) and what its holder is called (pangkat); `position` orders them."""

    __tablename__ = "civil_service_rank"

    grade: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    position: Mapped[int]
    status: Mapped[str]
    source: Mapped[str]
