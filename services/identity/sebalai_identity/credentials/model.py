"""Tables of accounts and what proves that somebody is their person."""

from datetime import datetime
from uuid import UUID

from sebalai_shared.database import Base
from sqlalchemy import ARRAY, DateTime, Text
from sqlalchemy.orm import Mapped, mapped_column

_TIME = DateTime(timezone=True)


class Account(Base):
    """The name a person signs in by. `sponsor`: the agency that answers for an outsider."""

    __tablename__ = "account"

    subject: Mapped[UUID] = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(unique=True)
    sponsor: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(_TIME)


class Password(Base):
    __tablename__ = "password"

    subject: Mapped[UUID] = mapped_column(primary_key=True)
    hash: Mapped[str]
    changed_at: Mapped[datetime] = mapped_column(_TIME)


class OneTime(Base):
    """A TOTP seed, sealed. `last_step`: no code of this or an earlier step counts again."""

    __tablename__ = "one_time"

    subject: Mapped[UUID] = mapped_column(primary_key=True)
    sealed: Mapped[bytes]
    last_step: Mapped[int]
    confirmed_at: Mapped[datetime | None] = mapped_column(_TIME)


class RecoveryCode(Base):
    __tablename__ = "recovery_code"

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    subject: Mapped[UUID]
    used_at: Mapped[datetime | None] = mapped_column(_TIME)


class Passkey(Base):
    """`is_bound`: the key cannot leave its device (backup not eligible), and a trusted maker says
    so; `sign_count` as the authenticator last told it.
    """

    __tablename__ = "passkey"

    id: Mapped[bytes] = mapped_column(primary_key=True)
    subject: Mapped[UUID]
    public_key: Mapped[bytes]
    sign_count: Mapped[int]
    transports: Mapped[list[str]] = mapped_column(ARRAY(Text))
    aaguid: Mapped[UUID]
    is_bound: Mapped[bool]
    is_backed_up: Mapped[bool]
    label: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(_TIME)
    used_at: Mapped[datetime | None] = mapped_column(_TIME)


class Invitation(Base):
    """A one-time code that lets its person choose the first (or a new) credential. `forgets`:
    passkeys and second factors go when it is used, for who lost them all.
    """

    __tablename__ = "invitation"

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    subject: Mapped[UUID]
    sponsor: Mapped[str | None]
    forgets: Mapped[bool]
    issued_by: Mapped[str]
    issued_at: Mapped[datetime] = mapped_column(_TIME)
    expires_at: Mapped[datetime] = mapped_column(_TIME)
    used_at: Mapped[datetime | None] = mapped_column(_TIME)
