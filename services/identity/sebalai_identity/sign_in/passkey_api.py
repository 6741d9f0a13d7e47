"""Signing in by passkey: the two addresses the script of the page asks."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from sebalai_shared.caller import PublicAccess

from sebalai_identity.credentials import actions as credentials
from sebalai_identity.credentials.actions import Site
from sebalai_identity.sign_in import actions
from sebalai_identity.web import pages
from sebalai_identity.web.desk import FORM_HEADER, TheKeeper, TheVisit, where_after_sign_in

router = APIRouter(include_in_schema=False, prefix="/sign-in/passkey")


@router.post("/options")
async def begin(
    request: Request, visit: TheVisit, keeper: TheKeeper, _: PublicAccess
) -> JSONResponse:
    visit.check_form(request.headers.get(FORM_HEADER))
    site = Site.of(visit.public_url)
    async with keeper.database.transaction() as session:
        options = await credentials.begin_sign_in(session, keeper, site=site, browser=visit.browser)
    return JSONResponse(options, headers=pages.HEADERS)


@router.post("")
async def finish(
    request: Request, visit: TheVisit, keeper: TheKeeper, _: PublicAccess
) -> JSONResponse:
    visit.check_form(request.headers.get(FORM_HEADER))
    sent = credentials.read_credential(await request.body())
    interaction_id = str(sent.get("interaction") or "") or None
    site = Site.of(visit.public_url)
    async with keeper.database.transaction() as session:
        await actions.situation(session, keeper, visit=visit, interaction_id=interaction_id)
        proven = await credentials.finish_sign_in(
            session, keeper, site=site, browser=visit.browser, credential=sent.get("credential")
        )
        await actions.require_open(session, keeper, subject=proven.subject)
        await actions.open_session(
            session, keeper, visit=visit, subject=proven.subject, methods=proven.methods
        )
    visit.language = "en" if sent.get("lang") == "en" else "id"
    location = where_after_sign_in(visit, interaction_id)
    answer = JSONResponse({"location": location}, headers=pages.HEADERS)
    visit.dress(answer)
    return answer
