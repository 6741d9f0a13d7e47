"""HTTP of the provider's pages: devices and signing out."""

from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sebalai_shared.caller import PublicAccess
from sebalai_shared.database import Transaction
from sebalai_shared.problems import responses
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.oauth import device, forms, logout, pages
from sebalai_identity.oauth.answers import NO_STORE
from sebalai_identity.oauth.authorize import RequestRefused
from sebalai_identity.oauth.door import cookie_of, desk_of, source_of
from sebalai_identity.oauth.errors import OAuthError
from sebalai_identity.oauth.logout import Asked
from sebalai_identity.oauth.throttle import TooManyTries
from sebalai_identity.sessions.actions import cookie_name

router = APIRouter(tags=["oauth"])

KEPT = ("post_logout_redirect_uri", "state", "client_id")


@router.get("/device")
async def read_device_page(_: PublicAccess, user_code: str = "") -> Response:
    return pages.device_form(user_code[:20])


@router.get("/device/done")
async def read_device_end(_: PublicAccess) -> Response:
    return pages.device_done()


@router.post("/device", status_code=303, responses=responses(RequestRefused, TooManyTries))
async def enter_device_code(request: Request, _: PublicAccess, session: Transaction) -> Response:
    throttle, source = request.app.state.device_throttle, source_of(request)
    throttle.check(source, "device")
    form = await _read(request)
    typed = form.get("user_code", "")
    interaction = await device.enter(desk_of(request, session), typed)
    if interaction is None:
        throttle.note(source, "device")
        return pages.device_form(typed[:20], is_wrong=True)
    place = f"/oauth/authorize/continue?{urlencode({'interaction': interaction})}"
    return RedirectResponse(place, 303, headers=NO_STORE)


async def _read(request: Request) -> dict[str, str]:
    try:
        return await forms.read_form(request)
    except OAuthError as error:
        raise RequestRefused(error.description) from error


@router.get("/oauth/logout", responses=responses(RequestRefused))
async def sign_out_by_query(request: Request, _: PublicAccess, session: Transaction) -> Response:
    try:
        parameters = forms.read_query(request)
    except OAuthError as error:
        raise RequestRefused(error.description) from error
    # A link may ask; only our own form confirms.
    parameters.pop("mark", None)
    return await _sign_out(request, session, parameters)


@router.post("/oauth/logout", responses=responses(RequestRefused))
async def sign_out_by_form(request: Request, _: PublicAccess, session: Transaction) -> Response:
    return await _sign_out(request, session, await _read(request))


async def _sign_out(
    request: Request, session: AsyncSession, parameters: dict[str, str]
) -> Response:
    outcome = await logout.sign_out(desk_of(request, session), parameters, cookie_of(request))
    if isinstance(outcome, Asked):
        kept = {name: parameters[name] for name in KEPT if name in parameters}
        return pages.ask_sign_out(outcome.mark, kept)
    answer: Response = pages.signed_out()
    if outcome.place is not None:
        state = f"state={urlencode({'': outcome.state})[1:]}" if outcome.state else ""
        sign = ("&" if "?" in outcome.place else "?") if state else ""
        answer = RedirectResponse(outcome.place + sign + state, 303, headers=NO_STORE)
    url = request.app.state.settings.public_url
    answer.delete_cookie(cookie_name(url), secure=url.startswith("https"), httponly=True)
    return answer
