"""The counter between a browser and the pages: reads the visit and its form, answers a page or the
way onward. Used by every slice that shows pages; decides nothing.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Query, Request, Response
from fastapi.responses import RedirectResponse
from sebalai_shared.forms import read_form

from sebalai_identity.credentials.actions import Keeper
from sebalai_identity.sessions.actions import cookie_name
from sebalai_identity.web import pages
from sebalai_identity.web.pages import link
from sebalai_identity.web.route import pages_of
from sebalai_identity.web.texts import language_of
from sebalai_identity.web.visit import FormForged, Visit

INTERACTION_MAX = 64
READING = ["GET", "HEAD"]
CONTINUE = "/oauth/authorize/continue"
HOME = "/my-access"
SIGN_IN = "/sign-in"
OUTSIDE_LINK = "/sign-in/link"
FORM_HEADER = "Sebalai-Form"

InteractionId = Annotated[str | None, Query(max_length=INTERACTION_MAX)]
Language = Annotated[str | None, Query(alias="lang", max_length=10)]


async def keeper_of(request: Request) -> Keeper:
    keeper = request.app.state.keeper
    assert isinstance(keeper, Keeper)  # noqa: S101 - set when the application is made
    return keeper


async def visit_of(request: Request, lang: Language = None) -> Visit:
    language = language_of(lang, (), request.headers.get("Accept-Language", ""))
    name = cookie_name(request.app.state.settings.public_url)
    return Visit.of(request, language, name)


TheKeeper = Annotated[Keeper, Depends(keeper_of)]
TheVisit = Annotated[Visit, Depends(visit_of)]


@dataclass(frozen=True)
class Told:
    """What the page says of the attempt before it."""

    failure: str | None = None
    wait: timedelta = timedelta(0)
    login: str | None = None


_STATUS = {
    None: 200,
    "device-code": 400,
    "wait": 429,
    "busy": 503,
    "forged": 403,
    "closed": 403,
    "outside-away": 503,
    "outside-distrusted": 400,
    "outside-declined": 403,
    "outside-other": 403,
    "outside-second": 409,
    "outside-ended": 404,
}


@dataclass(frozen=True)
class Place:
    """`path`: where the same page is had in another language; empty when only a form leads to it.
    `leaves_site`: its form's answer may end at an application, as every interaction's does.
    `pictures`: an origin that a picture on it comes from.
    """

    template: str
    path: str = ""
    interaction_id: str | None = None
    leaves_site: bool = False
    pictures: str = ""


def page(
    request: Request, visit: Visit, place: Place, told: Told | None = None, **values: Any
) -> Response:
    told = told or Told()
    seconds = int(told.wait.total_seconds()) + 1 if told.wait else 0
    made = pages_of(request).html(
        place.template,
        visit.language,
        status=_STATUS.get(told.failure, 422),
        leaves_site=place.leaves_site or place.interaction_id is not None,
        pictures=place.pictures,
        visit=visit,
        here=place.path,
        interaction_id=place.interaction_id,
        failure=told.failure,
        seconds=seconds,
        **values,
    )
    if told.failure in ("wait", "busy"):
        made.headers["Retry-After"] = str(seconds or 3)
    return visit.dress(made)


def see(address: str) -> Response:
    answer = RedirectResponse(address, 303)
    answer.headers.update(pages.security_headers(leaves_site=True))
    return answer


def where_onward(visit: Visit, interaction_id: str | None) -> str:
    """Always an address of ours: no form and no query names where to go."""
    if interaction_id:
        return f"{CONTINUE}?{urlencode({'interaction': interaction_id})}"
    return link(HOME, visit.language)


def where_after_sign_in(visit: Visit, interaction_id: str | None) -> str:
    """First to the identity of an outside provider that waits in this browser to be linked."""
    if visit.outside_cookie is not None:
        return link(OUTSIDE_LINK, visit.language, interaction=interaction_id)
    return where_onward(visit, interaction_id)


def after_sign_in(visit: Visit, interaction_id: str | None) -> Response:
    return visit.dress(see(where_after_sign_in(visit, interaction_id)))


def onward(visit: Visit, interaction_id: str | None) -> Response:
    return visit.dress(see(where_onward(visit, interaction_id)))


async def form_of(request: Request, visit: Visit) -> tuple[dict[str, str], bool]:
    """The form, and whether it is one of ours."""
    form = await read_form(request)
    visit.language = language_of(form.get("lang"), (), request.headers.get("Accept-Language", ""))
    try:
        visit.check_form(form.get("csrf"))
    except FormForged:
        return form, False
    return form, True
