"""Tables of the survey. An answer knows its service and day, and nothing of who gave it."""

from datetime import date, datetime
from uuid import UUID

from sebalai_shared.database import Base
from sqlalchemy import DateTime, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column


class SurveyInvitation(Base):
    """One a request; the code is kept as a digest and used once."""

    __tablename__ = "survey_invitation"

    request_id: Mapped[UUID] = mapped_column(primary_key=True)
    code_sha256: Mapped[str] = mapped_column(Text)
    service_id: Mapped[UUID]
    service: Mapped[str] = mapped_column(Text)
    agency: Mapped[str] = mapped_column(Text)
    invited_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    answered: Mapped[bool] = mapped_column(default=False)


class SurveyAnswer(Base):
    """Its id is random, not of time: order would lead back to the request."""

    __tablename__ = "survey_answer"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    service_id: Mapped[UUID]
    service: Mapped[str] = mapped_column(Text)
    agency: Mapped[str] = mapped_column(Text)
    answered_on: Mapped[date]
    scores: Mapped[dict[str, int]] = mapped_column(JSONB)


class SurveyPlan(Base):
    """What an agency does about a low element, and by when."""

    __tablename__ = "survey_plan"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    service: Mapped[str] = mapped_column(Text)
    agency: Mapped[str] = mapped_column(Text)
    element: Mapped[str] = mapped_column(Text)
    plan: Mapped[str] = mapped_column(Text)
    due_on: Mapped[date]
    done_on: Mapped[date | None]
    entered_by: Mapped[str] = mapped_column(Text)
    entered_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
