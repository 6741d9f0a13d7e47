"""Table of the kinds of naskah dinas. Letters themselves, numbers and registers come later."""

from sebalai_shared.database import Base
from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from sebalai_archive.provenance import Marked


class LetterType(Marked, Base):
    """`position` is the order of the rule's own list."""

    __tablename__ = "letter_type"

    code: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    group: Mapped[str] = mapped_column(Text)
    subgroup: Mapped[str | None] = mapped_column(Text)
    position: Mapped[int]
