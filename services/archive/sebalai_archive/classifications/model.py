"""Table of classification codes. `path` is the code as numbers: 400.2 and 400.20 are two codes,
and numbers sort as people count.
"""

from sebalai_shared.database import Base
from sqlalchemy import Integer, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from sebalai_archive.provenance import Marked


class Classification(Marked, Base):
    __tablename__ = "classification"

    code: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    parent: Mapped[str | None] = mapped_column(Text)
    path: Mapped[list[int]] = mapped_column(ARRAY(Integer))
