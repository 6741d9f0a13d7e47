"""Table of government affairs (urusan)."""

from sebalai_shared.database import Base
from sqlalchemy.orm import Mapped, mapped_column


class Affair(Base):
    """An affair of government, or a supporting element, as Permendagri 90/2019 numbers it."""

    __tablename__ = "affair"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    affair_group: Mapped[str]
    status: Mapped[str]
    source: Mapped[str]
