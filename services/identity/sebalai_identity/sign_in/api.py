"""The pages of sign-in: password, second factor, invitation, cancel and sign-out."""

from dataclasses import replace
from enum import Enum, auto
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from sebalai_shared.caller import PublicAccess
from sebalai_shared.problems import NotFound

from sebalai_identity.assurance import PASSWORD
from sebalai_identity.credentials import actions as credentials
from sebalai_identity.credentials.actions import (
    Checked,
    Half,
    InvitationUnknown,
    Keeper,
    LoginInvalid,
    PasswordsBusy,
    PasswordWeak,
)
from sebalai_identity.interactions.actions import refuse_interaction
from sebalai_identity.outside_providers.actions import enabled_providers
from sebalai_identity.sign_in import actions
from sebalai_identity.sign_in.actions import Situation
from sebalai_identity.web import pages
from sebalai_identity.web.desk import (
    HOME,
    READING,
    SIGN_IN,
    InteractionId,
    Place,
    TheKeeper,
    TheVisit,
    Told,
    after_sign_in,
    form_of,
    onward,
    page,
    see,
)
from sebalai_identity.web.pages import link
from sebalai_identity.web.route import PageRoute
from sebalai_identity.web.texts import language_of
from sebalai_identity.web.visit import FormForged, Visit

ASSET_KEPT = "public, max-age=31536000, immutable"
SECOND = "/sign-in/second"
INVITATION = "/sign-in/invitation"
SIGN_OUT = "/sign-out"

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@router.api_route(pages.ASSETS_PATH + "/{digest}/{name}", methods=READING)
async def asset(digest: str, name: str, _: PublicAccess) -> Response:
    if name not in pages.ASSETS or pages.asset_address(name).split("/")[-2] != digest:
        raise NotFound("There is no such file.")
    headers = {"Cache-Control": ASSET_KEPT, "X-Content-Type-Options": "nosniff"}
    return Response(pages.read_asset(name), media_type=pages.ASSETS[name], headers=headers)


@router.api_route(SIGN_IN, methods=READING)
async def show_sign_in(
    request: Request,
    visit: TheVisit,
    keeper: TheKeeper,
    _: PublicAccess,
    interaction: InteractionId = None,
    again: str | None = None,
) -> Response:
    """With nothing to ask, whoever is signed in already goes on. `again`: they prove themself anew
    before something that matters.
    """
    async with keeper.database.transaction() as session:
        found = await actions.situation(session, keeper, visit=visit, interaction_id=interaction)
    if found.interaction is None and found.session is not None and again is None:
        return visit.dress(see(link(HOME, visit.language)))
    _speak(visit, found, request.query_params.get("lang"))
    return await _sign_in_page(request, visit, keeper, found)


def _speak(visit: Visit, found: Situation, asked: str | None) -> None:
    """The application's ui_locales count where the visitor has not chosen on the page."""
    if asked is None and found.interaction is not None and found.interaction.ui_locales:
        visit.language = language_of(None, found.interaction.ui_locales)


async def _sign_in_page(
    request: Request, visit: Visit, keeper: Keeper, found: Situation, told: Told | None = None
) -> Response:
    told = told or Told()
    known, lacks_means = None, False
    async with keeper.database.transaction() as session:
        providers = await enabled_providers(session)
    if found.session is not None:
        async with keeper.database.transaction() as session:
            account = await credentials.account_of(session, subject=found.session.subject)
            known = account.login if account is not None else None
            lacks_means = found.wanted_level > 1 and not await credentials.has_strong_means(
                session, subject=found.session.subject
            )
    interaction = found.interaction
    hint = interaction.login_hint if interaction is not None else None
    values = {
        "login": told.login if told.login is not None else known or hint or "",
        "client_name": interaction.client_name if interaction else None,
        "signed_in_as": known,
        "wants_more": found.is_raising,
        "lacks_means": lacks_means,
        "providers": providers,
    }
    # The button of an outside provider leads there.
    leaves, interaction_id = bool(providers), interaction.id if interaction else None
    place = Place("sign_in.html", SIGN_IN, interaction_id, leaves_site=leaves)
    return page(request, visit, place, told, **values)


@router.post(SIGN_IN)
async def sign_in(
    request: Request, visit: TheVisit, keeper: TheKeeper, _: PublicAccess
) -> Response:
    form, is_ours = await form_of(request, visit)
    found = await _situation(keeper, visit, form.get("interaction"))
    interaction_id = found.interaction.id if found.interaction else None
    proven = await _prove(keeper, visit, form) if is_ours else Told("forged")
    if isinstance(proven, Told):
        told = replace(proven, login=form.get("login", ""))
        return await _sign_in_page(request, visit, keeper, found, told)
    next_step = await _after_password(keeper, visit, proven)
    if next_step in (Next.CLOSED, Next.STALE):
        told = Told("closed" if next_step is Next.CLOSED else "wrong")
        return await _sign_in_page(request, visit, keeper, found, told)
    if next_step is Next.SECOND:
        return visit.dress(see(link(SECOND, visit.language, interaction=interaction_id)))
    return after_sign_in(visit, interaction_id)


async def _situation(keeper: Keeper, visit: Visit, interaction_id: str | None) -> Situation:
    """Raises `InteractionUnknown`."""
    if not interaction_id and visit.session_cookie is None:
        return Situation(None, None)
    async with keeper.database.transaction() as session:
        return await actions.situation(session, keeper, visit=visit, interaction_id=interaction_id)


async def _prove(keeper: Keeper, visit: Visit, form: dict[str, str]) -> Checked | Told:
    try:
        checked = await credentials.check_password(
            keeper,
            login=form.get("login", ""),
            password=form.get("password", ""),
            origin=credentials.Origin(visit.network, visit.device_cookie),
        )
    except PasswordsBusy:
        return Told("busy")
    if checked.wait:
        return Told("wait", checked.wait)
    return checked if checked.subject is not None else Told("wrong")


class Next(Enum):
    CLOSED = auto()
    STALE = auto()
    SECOND = auto()
    ONWARD = auto()


async def _after_password(keeper: Keeper, visit: Visit, proven: Checked) -> Next:
    async with keeper.database.transaction() as session:
        subject, held = proven.subject, await credentials.still_stands(session, keeper, proven)
        if subject is None or held is None:
            return Next.STALE
        if not await actions.is_open(session, keeper, subject=subject):
            return Next.CLOSED
        if held.has_one_time:
            await credentials.keep_half(
                session,
                keeper,
                browser=visit.renew_browser(),
                subject=subject,
                methods=[PASSWORD],
            )
            return Next.SECOND
        await actions.open_session(
            session, keeper, visit=visit, subject=subject, methods=[PASSWORD]
        )
        return Next.ONWARD


@router.api_route(SECOND, methods=READING)
async def show_second(
    request: Request,
    visit: TheVisit,
    keeper: TheKeeper,
    _: PublicAccess,
    interaction: InteractionId = None,
) -> Response:
    async with keeper.database.transaction() as session:
        half = await credentials.half_of(session, keeper, browser=visit.browser)
    if half is None:
        return visit.dress(see(link(SIGN_IN, visit.language, interaction=interaction)))
    return page(request, visit, Place("second.html", SECOND, interaction))


@router.post(SECOND)
async def second(request: Request, visit: TheVisit, keeper: TheKeeper, _: PublicAccess) -> Response:
    form, is_ours = await form_of(request, visit)
    interaction_id = form.get("interaction") or None
    async with keeper.database.transaction() as session:
        found = await actions.situation(session, keeper, visit=visit, interaction_id=interaction_id)
        half = await credentials.half_of(session, keeper, browser=visit.browser)
    if half is None:
        return visit.dress(see(link(SIGN_IN, visit.language, interaction=interaction_id)))
    place = Place("second.html", SECOND, interaction_id)
    if not is_ours:
        return page(request, visit, place, Told("forged"))
    checked = await credentials.check_second(
        keeper,
        subject=half.subject,
        typed=form.get("code", ""),
        origin=credentials.Origin(visit.network, visit.device_cookie),
    )
    if checked.subject is None:
        return page(
            request, visit, place, Told("wait" if checked.wait else "wrong-code", checked.wait)
        )
    if not await _after_second(keeper, visit, half, checked.method):
        return await _sign_in_page(request, visit, keeper, found, Told("closed"))
    return after_sign_in(visit, interaction_id)


async def _after_second(keeper: Keeper, visit: Visit, half: Half, method: str) -> bool:
    """False for who may not sign in any more: minutes may lie between the two steps."""
    async with keeper.database.transaction() as session:
        if not await credentials.drop_half(session, browser=visit.browser):
            return False
        if not await actions.is_open(session, keeper, subject=half.subject):
            return False
        await actions.open_session(
            session, keeper, visit=visit, subject=half.subject, methods=[*half.methods, method]
        )
        return True


@router.api_route(INVITATION, methods=READING)
async def show_invitation(
    request: Request,
    visit: TheVisit,
    _: PublicAccess,
    interaction: InteractionId = None,
    code: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """Looking at the link uses nothing up: mail scanners open links too."""
    values: dict[str, Any] = {"code": code, "login": ""}
    return page(request, visit, Place("invitation.html", INVITATION, interaction), **values)


@router.post(INVITATION)
async def accept_invitation(
    request: Request, visit: TheVisit, keeper: TheKeeper, _: PublicAccess
) -> Response:
    form, is_ours = await form_of(request, visit)
    interaction_id = form.get("interaction") or None
    values: dict[str, Any] = {"code": form.get("code", ""), "login": form.get("login", "")}
    failure = None if is_ours else "forged"
    if failure is None:
        failure = await _accept(keeper, visit, form, interaction_id)
    if failure is None:
        return after_sign_in(visit, interaction_id)
    place = Place("invitation.html", INVITATION, interaction_id)
    return page(request, visit, place, Told(failure), **values)


async def _accept(
    keeper: Keeper, visit: Visit, form: dict[str, str], interaction_id: str | None
) -> str | None:
    try:
        async with keeper.database.transaction() as session:
            await actions.situation(session, keeper, visit=visit, interaction_id=interaction_id)
            subject = await credentials.accept(
                session,
                keeper,
                code=form.get("code", ""),
                login=form.get("login", ""),
                password=form.get("password", ""),
            )
            await actions.require_open(session, keeper, subject=subject)
            await actions.end_everything(session, keeper, subject=subject)
            await actions.open_session(
                session, keeper, visit=visit, subject=subject, methods=[PASSWORD]
            )
    except InvitationUnknown:
        return "invitation"
    except actions.AccountClosed:
        return "closed"
    except LoginInvalid:
        return "login"
    except PasswordsBusy:
        return "busy"
    except PasswordWeak as weak:
        return weak.why
    return None


@router.post("/sign-in/refuse")
async def refuse(request: Request, visit: TheVisit, keeper: TheKeeper, _: PublicAccess) -> Response:
    """Back to the application, which is told that the person declined."""
    form, is_ours = await form_of(request, visit)
    interaction_id = form.get("interaction", "")
    if not is_ours:
        raise FormForged("Open the page again.")
    async with keeper.database.transaction() as session:
        await refuse_interaction(
            session, keeper.clock, interaction_id=interaction_id, refusal="access_denied"
        )
    return onward(visit, interaction_id)


@router.api_route(SIGN_OUT, methods=READING)
async def show_sign_out(request: Request, visit: TheVisit, _: PublicAccess) -> Response:
    """A page with a button: a link alone signs nobody out."""
    return page(request, visit, Place("sign_out.html", SIGN_OUT), is_done=False)


@router.post(SIGN_OUT)
async def sign_out(
    request: Request, visit: TheVisit, keeper: TheKeeper, _: PublicAccess
) -> Response:
    is_ours = (await form_of(request, visit))[1]
    if not is_ours:
        place = Place("sign_out.html", SIGN_OUT)
        return page(request, visit, place, Told("forged"), is_done=False)
    async with keeper.database.transaction() as session:
        await actions.sign_out(session, keeper, visit=visit)
    return page(request, visit, Place("sign_out.html", SIGN_OUT), is_done=True)
