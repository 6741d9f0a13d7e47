"""HTTP of the provider where people come by: the authorization endpoint, a device's code, signing
out for a client. Refusals are pages.
"""

from collections.abc import Callable
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from sebalai_shared.caller import PublicAccess
from sebalai_shared.database import Transaction
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.oauth import authorization, device, forms, logout
from sebalai_identity.oauth.answers import to_person
from sebalai_identity.oauth.authorize import RequestRefused
from sebalai_identity.oauth.door import cookie_of, desk_of, source_of
from sebalai_identity.oauth.errors import OAuthError
from sebalai_identity.oauth.logout import Asked
from sebalai_identity.sessions.actions import cookie_name
from sebalai_identity.sign_in.actions import leave_no_proof
from sebalai_identity.web.desk import CONTINUE, Place, TheVisit, Told, onward, page, see
from sebalai_identity.web.route import PageRoute
from sebalai_identity.web.texts import language_of
from sebalai_identity.web.visit import Visit

router = APIRouter(include_in_schema=False, route_class=PageRoute)

DEVICE = "/device"
SHOWN_MAX = 20
KEPT = ("post_logout_redirect_uri", "state", "client_id", "lang")


@router.get("/oauth/authorize")
async def authorize_by_query(request: Request, _: PublicAccess, session: Transaction) -> Response:
    return await _authorize(request, session, lambda: forms.read_query(request))


@router.post("/oauth/authorize")
async def authorize_by_form(request: Request, _: PublicAccess, session: Transaction) -> Response:
    body = await request.body()
    return await _authorize(request, session, lambda: forms.parse(body))


async def _authorize(
    request: Request, session: AsyncSession, read: Callable[[], dict[str, str]]
) -> Response:
    desk = desk_of(request, session)
    try:
        parameters = read()
    except OAuthError as error:
        raise RequestRefused(error.description) from error
    return to_person(await authorization.begin(desk, parameters, cookie_of(request)))


@router.get(CONTINUE)
async def authorize_further(
    request: Request, _: PublicAccess, session: Transaction, interaction: str = ""
) -> Response:
    desk = desk_of(request, session)
    return to_person(await authorization.proceed(desk, interaction, cookie_of(request)))


@router.get(DEVICE)
async def read_device_page(
    request: Request, visit: TheVisit, _: PublicAccess, user_code: str = ""
) -> Response:
    return _device_page(request, visit, user_code)


def _device_page(request: Request, visit: Visit, typed: str, told: Told | None = None) -> Response:
    place = Place("device.html", DEVICE)
    return page(request, visit, place, told, user_code=typed[:SHOWN_MAX], is_done=False)


@router.get("/device/done")
async def read_device_end(request: Request, visit: TheVisit, _: PublicAccess) -> Response:
    place = Place("device.html", "/device/done")
    return page(request, visit, place, is_done=True)


@router.post(DEVICE)
async def enter_device_code(
    request: Request, visit: TheVisit, _: PublicAccess, session: Transaction
) -> Response:
    """Needs no mark of ours: whoever sends it gets no further than the page that asks."""
    throttle, source = request.app.state.device_throttle, source_of(request)
    throttle.check(source, "device")
    form = await _read(request, visit)
    typed = form.get("user_code", "")
    interaction = await device.enter(desk_of(request, session), typed)
    if interaction is None:
        throttle.note(source, "device")
        return _device_page(request, visit, typed, Told("device-code"))
    return onward(visit, interaction)


async def _read(request: Request, visit: Visit) -> dict[str, str]:
    try:
        form = await forms.read_form(request)
    except OAuthError as error:
        raise RequestRefused(error.description) from error
    visit.language = language_of(form.get("lang") or visit.language)
    return form


@router.get("/oauth/logout")
async def sign_out_by_query(
    request: Request, visit: TheVisit, _: PublicAccess, session: Transaction
) -> Response:
    try:
        parameters = forms.read_query(request)
    except OAuthError as error:
        raise RequestRefused(error.description) from error
    # A link may ask; only our own form confirms.
    parameters.pop("mark", None)
    return await _sign_out(request, visit, session, parameters)


@router.post("/oauth/logout")
async def sign_out_by_form(
    request: Request, visit: TheVisit, _: PublicAccess, session: Transaction
) -> Response:
    return await _sign_out(request, visit, session, await _read(request, visit))


async def _sign_out(
    request: Request, visit: Visit, session: AsyncSession, parameters: dict[str, str]
) -> Response:
    cookie = visit.session_cookie
    outcome = await logout.sign_out(desk_of(request, session), parameters, cookie)
    if isinstance(outcome, Asked):
        kept = {name: parameters[name] for name in KEPT if name in parameters}
        place = Place("sign_out_for.html", leaves_site=True)
        return page(request, visit, place, fields=kept | {"mark": outcome.mark})
    visit.put(cookie_name(visit.public_url), "", 0)
    await leave_no_proof(session, request.app.state.clock, visit=visit)
    if outcome.place is None:
        return page(request, visit, Place("sign_out.html"), is_done=True)
    state = urlencode({"state": outcome.state}) if outcome.state else ""
    sign = ("&" if "?" in outcome.place else "?") if state else ""
    return visit.dress(see(outcome.place + sign + state))
