"""Table of role grants, and the catalogue of roles."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args
from uuid import UUID

from sebalai_shared.database import Base
from sqlalchemy import DateTime
from sqlalchemy.orm import Mapped, mapped_column

REQUESTED, ACTIVE, REFUSED, REVOKED = "requested", "active", "refused", "revoked"

RoleCode = Literal[
    "people-keeper",
    "role-keeper",
    "client-approver",
    "auditor",
    "platform-operator",
    "exchange-manager",
    "archive-keeper",
    "service-editor",
    "service-decider",
]


@dataclass(frozen=True)
class Role:
    """`scopes` are what a token of the holder may carry. A sensitive role takes a second pair of
    eyes and an end; a role of an agency holds in that agency alone.
    """

    scopes: frozenset[str]
    is_sensitive: bool = False
    is_of_agency: bool = False


ROLES: dict[str, Role] = {
    "people-keeper": Role(frozenset({"identity.people"}), is_sensitive=True),
    "role-keeper": Role(frozenset({"identity.roles"}), is_sensitive=True),
    "client-approver": Role(frozenset({"identity.clients"}), is_sensitive=True),
    "auditor": Role(frozenset({"identity.audit"}), is_sensitive=True),
    "platform-operator": Role(frozenset({"platform.operate"}), is_sensitive=True),
    "exchange-manager": Role(frozenset({"exchange.manage"}), is_of_agency=True),
    "archive-keeper": Role(frozenset({"archive.write"}), is_of_agency=True),
    "service-editor": Role(frozenset({"catalog.write"}), is_of_agency=True),
    "service-decider": Role(frozenset({"catalog.decide"}), is_of_agency=True),
}
CODES: tuple[str, ...] = get_args(RoleCode)

_TIME = DateTime(timezone=True)


class RoleGrant(Base):
    """A role of a person for a half-open period, by a decree; asked by one, decided by another."""

    __tablename__ = "role_grant"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID]
    role: Mapped[str]
    agency: Mapped[str | None]
    decree: Mapped[str]
    state: Mapped[str]
    reason: Mapped[str | None]
    valid_from: Mapped[datetime] = mapped_column(_TIME)
    valid_until: Mapped[datetime | None] = mapped_column(_TIME)
    asked_by: Mapped[str]
    asked_by_system_of: Mapped[str | None]
    decided_by: Mapped[str | None]
    recorded_at: Mapped[datetime] = mapped_column(_TIME)
    changed_at: Mapped[datetime] = mapped_column(_TIME)
