"""Tables of groups of consumers and who is in them."""

from datetime import datetime
from uuid import UUID

from sebalai_shared.database import Base
from sqlalchemy import DateTime, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

INVITED = "invited"
JOINED = "joined"


class ConsumerGroup(Base):
    """Named below its owner (`{owner}/groups/{slug}`), which speaks for it in agreements."""

    __tablename__ = "consumer_group"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    owner: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    made_by: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class GroupMember(Base):
    """Only a member that joined by itself is routed: both sides wanted it."""

    __tablename__ = "group_member"

    group_id: Mapped[UUID] = mapped_column(ForeignKey("consumer_group.id"), primary_key=True)
    application: Mapped[str] = mapped_column(Text, primary_key=True)
    state: Mapped[str] = mapped_column(Text)
    invited_by: Mapped[str] = mapped_column(Text)
    invited_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    joined_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
