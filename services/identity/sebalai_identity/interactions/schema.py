"""An authorization request that was found good, as the pages of sign-in and consent see it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Wanted:
    """What a client asks for, validated. `agency` is a slug; `max_age` in seconds; `extra` is the
    authorization endpoint's own (redirect, state, nonce, challenge) and nobody else's.
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
    extra: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Interaction(Wanted):
    """One under way: since when; who has agreed in it, for nobody else, or that it was declined."""

    id: str = ""
    opened_at: datetime = NEVER
    expires_at: datetime = NEVER
    consented_by: UUID | None = None
    refusal: str | None = None
