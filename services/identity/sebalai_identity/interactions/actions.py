"""The time between a client's authorization request and its answer, while a person signs in and
consents. The authorization endpoint opens and closes an interaction; the pages read it, and say
that the person agreed or declined. Whether the person may is decided at the end, not here.
"""

import secrets
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sebalai_shared.clock import Clock
from sebalai_shared.problems import NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.interactions import store
from sebalai_identity.interactions.model import ID_BYTES, ID_LENGTH, INTERACTIONS, LIFETIME
from sebalai_identity.interactions.schema import THEMSELF, Interaction, Wanted, named_business

__all__ = [
    "INTERACTIONS",
    "THEMSELF",
    "Interaction",
    "InteractionUnknown",
    "Refusal",
    "Wanted",
    "named_business",
]

Refusal = Literal["access_denied", "login_required", "unmet_authentication_requirements"]


class InteractionUnknown(NotFound):
    slug, title = "interaction-unknown", "The request has ended; begin again at the application"


async def open_interaction(session: AsyncSession, clock: Clock, *, wanted: Wanted) -> str:
    """Its id: 256 random bits, kept hashed, good for LIFETIME."""
    interaction_id = secrets.token_urlsafe(ID_BYTES)
    now = clock.now()
    await store.insert(session, interaction_id, asdict(wanted), now, now + LIFETIME)
    return interaction_id


async def get_interaction(
    session: AsyncSession, interaction_id: str, *, at: datetime | None = None
) -> Interaction:
    """Raises `InteractionUnknown`: never opened, closed, or (where `at` is given) too old."""
    is_well_formed = len(interaction_id) == ID_LENGTH and interaction_id.isascii()
    row = await store.find(session, interaction_id) if is_well_formed else None
    if row is None or (at is not None and row.expires_at <= at):
        raise InteractionUnknown("Return to the application and start its sign-in once more.")
    return Interaction(
        **_wanted(row.wanted),
        id=interaction_id,
        opened_at=row.opened_at,
        expires_at=row.expires_at,
        consented_by=row.consented_by,
        refusal=row.refusal,
        chosen_by=row.chosen_by,
        chosen=row.chosen,
    )


def _wanted(document: Mapping[str, Any]) -> dict[str, Any]:
    lists = {name: tuple(document[name]) for name in _LISTS}
    return {**document, **lists, "client_id": UUID(document["client_id"])}


_LISTS = ("scopes", "acr_values", "prompt", "ui_locales")


async def note_consent(
    session: AsyncSession, clock: Clock, *, interaction_id: str, subject: UUID
) -> None:
    """The person agreed in this very interaction, whose address others may have been sent.

    Raises `InteractionUnknown`.
    """
    if not await store.consent(session, interaction_id, subject, clock.now()):
        raise InteractionUnknown("Return to the application and start its sign-in once more.")


async def note_choice(
    session: AsyncSession,
    clock: Clock,
    *,
    interaction_id: str,
    subject: UUID,
    business: UUID | None,
) -> None:
    """For whom the person acts (None: themself); good for nobody else who comes by the address.

    Raises `InteractionUnknown`.
    """
    if not await store.choose(session, interaction_id, subject, business, clock.now()):
        raise InteractionUnknown("Return to the application and start its sign-in once more.")


async def refuse_interaction(
    session: AsyncSession, clock: Clock, *, interaction_id: str, refusal: Refusal
) -> None:
    """The client will be told `refusal` at `/oauth/authorize/continue`, where the page must still
    send the person. Raises `InteractionUnknown`.
    """
    if not await store.refuse(session, interaction_id, refusal, clock.now()):
        raise InteractionUnknown("Return to the application and start its sign-in once more.")


async def close_interaction(session: AsyncSession, clock: Clock, *, interaction_id: str) -> bool:
    """Once only; False for whoever comes second or too late."""
    return await store.close(session, interaction_id, clock.now())
