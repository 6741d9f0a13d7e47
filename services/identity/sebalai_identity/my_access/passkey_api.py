"""Adding a passkey: the page, and the two addresses its script asks."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from sebalai_shared.caller import PublicAccess

from sebalai_identity.credentials import actions as credentials
from sebalai_identity.credentials.actions import Enrolment, Site
from sebalai_identity.my_access import actions
from sebalai_identity.web import pages
from sebalai_identity.web.desk import FORM_HEADER, HOME, TheKeeper, TheVisit
from sebalai_identity.web.pages import link

router = APIRouter(include_in_schema=False, prefix="/my-access/passkeys")


@router.post("/options")
async def begin(
    request: Request, visit: TheVisit, keeper: TheKeeper, _: PublicAccess
) -> JSONResponse:
    visit.check_form(request.headers.get(FORM_HEADER))
    async with keeper.database.transaction() as session:
        present = await actions.require_fresh(session, keeper, visit.session_cookie)
        account = await credentials.account_of(session, subject=present.subject)
        options = await credentials.begin_enrolment(
            session,
            keeper,
            site=Site.of(visit.public_url),
            browser=visit.browser,
            subject=present.subject,
            login=account.login if account is not None else str(present.subject),
        )
    return JSONResponse(options, headers=pages.HEADERS)


@router.post("")
async def finish(
    request: Request, visit: TheVisit, keeper: TheKeeper, _: PublicAccess
) -> JSONResponse:
    visit.check_form(request.headers.get(FORM_HEADER))
    sent = credentials.read_credential(await request.body())
    async with keeper.database.transaction() as session:
        present = await actions.require_fresh(session, keeper, visit.session_cookie)
        label = str(sent.get("label") or visit.device_name)
        await credentials.finish_enrolment(
            session,
            keeper,
            site=Site.of(visit.public_url),
            browser=visit.browser,
            made=Enrolment(present.subject, sent.get("credential"), label),
        )
    visit.language = "en" if sent.get("lang") == "en" else "id"
    return JSONResponse({"location": link(HOME, visit.language)}, headers=pages.HEADERS)
