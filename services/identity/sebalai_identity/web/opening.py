"""What every page within an interaction begins with: the interaction, who is signed in, and the
language the application asked for.
"""

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.interactions.actions import Interaction, get_interaction
from sebalai_identity.sessions import actions as sessions
from sebalai_identity.sessions.actions import Session
from sebalai_identity.web.desk import TheKeeper
from sebalai_identity.web.texts import language_of
from sebalai_identity.web.visit import Visit


async def opened(
    session: AsyncSession, keeper: TheKeeper, visit: Visit, interaction_id: str
) -> tuple[Interaction, Session | None]:
    """Raises `InteractionUnknown`."""
    found = await get_interaction(session, interaction_id, at=keeper.clock.now())
    return found, await sessions.current(session, keeper.clock, cookie=visit.session_cookie)


def speak(request: Request, visit: Visit, found: Interaction) -> None:
    """In the language the application asked for, unless the person chose one."""
    if "lang" not in request.query_params and found.ui_locales:
        visit.language = language_of(None, found.ui_locales)
