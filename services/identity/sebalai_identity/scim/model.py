"""Tables of what an agency's HR system keeps by SCIM beside the person itself."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sebalai_shared.database import Base
from sqlalchemy import DateTime, ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

_TIME = DateTime(timezone=True)


class ScimUser(Base):
    """A person as one agency's HR system names them; `attributes` is the SCIM form it sent."""

    __tablename__ = "scim_user"

    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    agency: Mapped[str]
    user_name: Mapped[str]
    external_id: Mapped[str | None]
    attributes: Mapped[dict[str, Any]] = mapped_column(JSONB)
    version: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(_TIME)
    changed_at: Mapped[datetime] = mapped_column(_TIME)


class ScimGroup(Base):
    """A group of an agency's users."""

    __tablename__ = "scim_group"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    agency: Mapped[str]
    display_name: Mapped[str]
    external_id: Mapped[str | None]
    version: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(_TIME)
    changed_at: Mapped[datetime] = mapped_column(_TIME)


class ScimMember(Base):
    __tablename__ = "scim_member"

    group_id: Mapped[UUID] = mapped_column(ForeignKey("scim_group.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("scim_user.person_id"), primary_key=True)
