"""The consent page: what an application asks for, in plain words, with two equal buttons."""

from fastapi import APIRouter, Query, Request, Response
from sebalai_shared.caller import ANONYMOUS, PublicAccess
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.agencies.actions import AgencyUnknown, find_agency
from sebalai_identity.applications.actions import shown_client
from sebalai_identity.businesses.actions import named
from sebalai_identity.consents import actions
from sebalai_identity.interactions.actions import (
    Interaction,
    note_consent,
    refuse_interaction,
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

CONSENT = "/consent"
AGREE = "agree"


@router.api_route(CONSENT, methods=READING)
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
    found, present = asked
    client = await shown_client(session, client_id=found.client_id)
    business = found.business_of(present.subject)
    vault = request.app.state.vault
    known = await named(session, vault, business_ids=[business] if business else [])
    return page(
        request,
        visit,
        Place("consent.html", CONSENT, found.id, pictures=client.logo_origin),
        told,
        client_name=client.name_in(visit.language) or found.client_name,
        client=client,
        agency=await _agency_name(session, found.agency),
        scopes=found.scopes,
        business=known.get(business) if business else None,
        days=actions.LIFETIME.days,
    )


async def _agency_name(session: AsyncSession, slug: str) -> str:
    try:
        return (await find_agency(session, caller=ANONYMOUS, slug=slug)).name
    except AgencyUnknown:
        return slug


@router.post(CONSENT)
async def decide(request: Request, visit: TheVisit, keeper: TheKeeper, _: PublicAccess) -> Response:
    """Anything but the button of agreement is a refusal; the application is told either way."""
    form, is_ours = await form_of(request, visit)
    interaction_id = form.get("interaction", "")
    async with keeper.database.transaction() as session:
        found, present = await opened(session, keeper, visit, interaction_id)
        if present is None:
            return visit.dress(see(link(SIGN_IN, visit.language, interaction=interaction_id)))
        if not is_ours:
            return await _page(request, session, visit, (found, present), Told("forged"))
        if form.get("decision") == AGREE:
            await note_consent(
                session, keeper.clock, interaction_id=interaction_id, subject=present.subject
            )
            await actions.grant(
                session,
                keeper.clock,
                subject=present.subject,
                client_id=found.client_id,
                scopes=actions.scopes_of(found.scopes, found.business_of(present.subject)),
            )
        else:
            await refuse_interaction(
                session, keeper.clock, interaction_id=interaction_id, refusal="access_denied"
            )
    return onward(visit, interaction_id)
