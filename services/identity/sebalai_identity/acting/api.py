"""The page where a person says for whom they act: themself, or a business they represent. One
button each, none of them chosen beforehand.
"""

from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from sebalai_shared.caller import PublicAccess
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.acting import actions
from sebalai_identity.interactions.actions import (
    THEMSELF,
    Interaction,
    note_choice,
)
from sebalai_identity.sessions.actions import Session
from sebalai_identity.web.desk import (
    INTERACTION_MAX,
    READING,
    SIGN_IN,
    Place,
    TheKeeper,
    TheVisit,
    Told,
    form_of,
    onward,
    page,
    see,
)
from sebalai_identity.web.opening import opened, speak
from sebalai_identity.web.pages import link
from sebalai_identity.web.route import PageRoute
from sebalai_identity.web.visit import Visit

router = APIRouter(include_in_schema=False, route_class=PageRoute)

ACTING_FOR = "/acting-for"


@router.api_route(ACTING_FOR, methods=READING)
async def show(
    request: Request,
    visit: TheVisit,
    keeper: TheKeeper,
    _: PublicAccess,
    interaction: str = Query(max_length=INTERACTION_MAX),
) -> Response:
    async with keeper.database.transaction() as session:
        found, present = await opened(session, keeper, visit, interaction)
        if present is None:
            return visit.dress(see(link(SIGN_IN, visit.language, interaction=interaction)))
        speak(request, visit, found)
        return await _page(request, session, visit, (found, present))


async def _page(
    request: Request,
    session: AsyncSession,
    visit: Visit,
    asked: tuple[Interaction, Session],
    told: Told | None = None,
) -> Response:
    (found, present), state = asked, request.app.state
    held = await actions.represented(
        session, state.vault, person_id=present.subject, at=state.clock.now()
    )
    return page(
        request, visit, Place("acting_for.html", ACTING_FOR, found.id), told,
        client_name=found.client_name, held=held, themself=THEMSELF,
    )  # fmt: skip


@router.post(ACTING_FOR)
async def choose(request: Request, visit: TheVisit, keeper: TheKeeper, _: PublicAccess) -> Response:
    """What is chosen is held against the register when the request is answered."""
    form, is_ours = await form_of(request, visit)
    interaction_id, party = form.get("interaction", ""), form.get("party", "")
    async with keeper.database.transaction() as session:
        found, present = await opened(session, keeper, visit, interaction_id)
        if present is None:
            return visit.dress(see(link(SIGN_IN, visit.language, interaction=interaction_id)))
        business = _business(party)
        if not is_ours or (business is None and party != THEMSELF):
            told = Told() if is_ours else Told("forged")
            return await _page(request, session, visit, (found, present), told)
        await note_choice(
            session, keeper.clock, interaction_id=interaction_id,
            subject=present.subject, business=business,
        )  # fmt: skip
    return onward(visit, interaction_id)


def _business(party: str) -> UUID | None:
    try:
        return UUID(party)
    except ValueError:
        return None
