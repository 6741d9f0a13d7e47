"""An authorization request that was found good, as the pages of sign-in and consent see it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

THEMSELF = "self"
NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Wanted:
    """What a client asks for, validated. `agency` is a slug; `max_age` in seconds; `acting_for` a
    business's id, THEMSELF, or None where the person chooses; `extra` is the authorization
    endpoint's own (redirect, state, nonce, challenge) and nobody else's.
    """

    client_id: UUID
    client_name: str
    agency: str
    scopes: tuple[str, ...]
    claims: dict[str, Any] = field(default_factory=dict[str, Any])
    acr_values: tuple[str, ...] = ()
    max_age: int | None = None
    prompt: tuple[str, ...] = ()
    login_hint: str | None = None
    ui_locales: tuple[str, ...] = ()
    acting_for: str | None = None
    extra: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Interaction(Wanted):
    """One under way: since when; who has agreed in it, for nobody else, or that it was declined;
    who chose to act for which business (None: for themself).
    """

    id: str = ""
    opened_at: datetime = NEVER
    expires_at: datetime = NEVER
    consented_by: UUID | None = None
    refusal: str | None = None
    chosen_by: UUID | None = None
    chosen: UUID | None = None

    def business_of(self, person: UUID) -> UUID | None:
        """The business that the person acts for by this interaction, if any."""
        if self.acting_for is not None:
            return named_business(self.acting_for)
        return self.chosen if self.chosen_by == person else None


def named_business(acting_for: str) -> UUID | None:
    return None if acting_for == THEMSELF else UUID(acting_for)
