"""Addresses of signing in and out: `/masuk`, for oneself or as a business, and `/keluar`. Who
signed in changes whom they act for by signing in once more: identity asks, and knows whom they
represent.
"""

from __future__ import annotations

import hmac
import re
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from sebalai_shared.caller import PublicAccess

from sebalai_portal import pages
from sebalai_portal.failures import Unavailable
from sebalai_portal.pages import link
from sebalai_portal.signing_in import BACK, SignIn, SignInRefused
from sebalai_portal.visits import Begun, TheVisit, Visit, form_of

READING = ["GET", "HEAD"]
SIGN_IN, MINE = "/masuk", "/urusan"
IDENTITYS_SIGN_OUT = "/sign-out"
ONWARD = re.compile(r"/(?:urusan|pengaduan|layanan)(?:/[a-z0-9-]+)*")
AS_BUSINESS, AS_THEMSELF = "usaha", "diri"
DECLINED, FAILED, ENDED, STALE = "batal", "gagal", "berakhir", "basi"
NO_BUSINESS = "tanpa-usaha"
QUERY_LENGTH_MAX = 2_048

router = APIRouter(include_in_schema=False)

Text = Annotated[str, Query(max_length=QUERY_LENGTH_MAX)]


def sign_in_of(request: Request) -> SignIn:
    found = request.app.state.sign_in
    assert isinstance(found, SignIn)  # noqa: S101 - set when the application is made
    return found


def see(visit: Visit, path: str, **query: str | None) -> Response:
    return visit.dress(RedirectResponse(link(path, visit.language, **query), 303))


def to_sign_in(visit: Visit, path: str, told: str | None = None) -> Response:
    """Of who is not signed in (any more); afterwards they get where they wanted to go."""
    return see(visit, SIGN_IN, tujuan=path if path != MINE else None, pesan=told)


@router.api_route(SIGN_IN, methods=READING)
async def show(
    request: Request, visit: TheVisit, _: PublicAccess, tujuan: Text = MINE, pesan: Text = ""
) -> Response:
    return _page(request, visit, _onward(tujuan), pesan)


def _page(
    request: Request, visit: Visit, onward: str, told: str, failure: Unavailable | None = None
) -> Response:
    status = 503 if failure else 403 if told == STALE else 200
    return pages.of(request, visit).html(
        "sign_in.html", visit.language, status=status, path=SIGN_IN, onward=onward, told=told,
        failure=failure,
    )  # fmt: skip


@router.post(SIGN_IN)
async def begin(request: Request, visit: TheVisit, _: PublicAccess) -> Response:
    form = await form_of(request, visit)
    if form is None or form.get("untuk") not in (AS_BUSINESS, AS_THEMSELF):
        return _page(request, visit, MINE, STALE)
    onward = _onward(form.get("tujuan", MINE))
    try:
        address, begun = await sign_in_of(request).begin(
            for_business=form["untuk"] == AS_BUSINESS, path=onward, language=visit.language
        )
    except Unavailable as failure:
        return _page(request, visit, onward, "", failure)
    visit.begin(begun)
    return visit.dress(RedirectResponse(address, 303))


@router.get(BACK)
async def back(
    request: Request,
    visit: TheVisit,
    _: PublicAccess,
    state: Text = "",
    code: Text = "",
    iss: Text = "",
    error: Text = "",
) -> Response:
    """An answer that this browser did not ask for, or that is not identity's, signs nobody in."""
    begun = visit.begun
    if begun is None or not hmac.compare_digest(begun.state.encode(), state.encode()):
        return to_sign_in(visit, MINE, FAILED)
    visit.language = begun.language
    if iss != request.app.state.settings.public_url or not code:
        return to_sign_in(visit, begun.path, DECLINED if error == "access_denied" else FAILED)
    try:
        return await _enter(request, visit, begun, code)
    except SignInRefused:
        return to_sign_in(visit, begun.path, FAILED)
    except Unavailable as failure:
        return _page(request, visit, begun.path, "", failure)


async def _enter(request: Request, visit: Visit, begun: Begun, code: str) -> Response:
    before, sign_in = visit.session, sign_in_of(request)
    session = await sign_in.finish(code, begun)
    visit.enter(session)
    if before is not None:
        with suppress(Unavailable):  # the browser has it no more, and it ends by itself
            await sign_in.end(before)
    is_other = begun.wants_business and session.acting_for is None
    return see(visit, MINE if is_other else begun.path, pesan=NO_BUSINESS if is_other else None)


@router.post("/keluar")
async def leave(request: Request, visit: TheVisit, _: PublicAccess) -> Response:
    """Here first, then identity asks whether everywhere: on a shared machine the one is nothing
    without the other.
    """
    session = visit.session
    if await form_of(request, visit) is None:
        return _page(request, visit, MINE, STALE)
    visit.leave()
    if session is not None:
        with suppress(Unavailable):  # the cookie is gone, and identity's page ends the rest
            await sign_in_of(request).end(session)
    return see(visit, IDENTITYS_SIGN_OUT)


def _onward(path: str) -> str:
    """An address of ours that a person had asked for; no other."""
    return path if ONWARD.fullmatch(path) else MINE
