"""Addresses of requests: `/layanan/{slug}/ajukan` begins one, `/urusan/{id}` fills it in, files it
and follows it. Whoever acts for the same party goes on with it.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sebalai_shared.caller import PublicAccess
from starlette.exceptions import HTTPException

from sebalai_portal import pages
from sebalai_portal.api import RETRY_SECONDS
from sebalai_portal.catalogue_api import SLUG
from sebalai_portal.failures import NotFound, Unavailable
from sebalai_portal.filing import STEPS, Case, Draft, Filing
from sebalai_portal.matters import Refused
from sebalai_portal.matters_api import ended, once_of, party_of
from sebalai_portal.sign_in_api import MINE, READING, STALE, see, to_sign_in
from sebalai_portal.signing_in import SessionEnded
from sebalai_portal.uploads import FormTooLarge, Sent, read_upload
from sebalai_portal.visits import Session, TheVisit, Visit, form_of

STREAMED = (f"{MINE}/*/dokumen/*",)
"""Paths whose bodies are counted here, because a document may exceed the common limit."""
ANSWER = "isi-"
SAVE = "simpan"
TOO_LARGE, NO_FILE, SLUG_UNKNOWN = "document-too-large", "document-refused", "not-found"
REVISION = re.compile(r"[1-9][0-9]{0,8}")
CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")

router = APIRouter(include_in_schema=False)

Work = Callable[[Filing, Session], Awaitable[Response]]


def _filing_of(request: Request) -> Filing:
    found = request.app.state.filing
    assert isinstance(found, Filing)  # noqa: S101 - set when the application is made
    return found


@router.post("/layanan/{slug}/ajukan")
async def begin(request: Request, slug: str, visit: TheVisit, _: PublicAccess) -> Response:
    session, form = visit.session, await form_of(request, visit)
    if SLUG.fullmatch(slug) is None:
        raise HTTPException(404)
    if session is None:
        return to_sign_in(visit, f"/layanan/{slug}")
    once = once_of(form or {})
    if form is None or once is None or form.get("untuk") != party_of(session):
        return _notice(request, visit, f"/layanan/{slug}", STALE)

    async def work(filing: Filing, session: Session) -> Response:
        made = await filing.begin(session, slug, once)
        return see(visit, f"{MINE}/{made.id}")

    return await _worked(request, visit, f"/layanan/{slug}", work)


@router.api_route(MINE + "/{number}", methods=READING)
async def show(request: Request, number: str, visit: TheVisit, _: PublicAccess) -> Response:
    key = _key(number)

    async def work(filing: Filing, session: Session) -> Response:
        return _page(request, visit, await filing.find(session, key))

    return await _worked(request, visit, f"{MINE}/{key}", work)


@router.post(MINE + "/{number}")
async def step(request: Request, number: str, visit: TheVisit, _: PublicAccess) -> Response:
    """What is written is kept first, also where the step itself is refused then."""
    key, form = _key(number), await form_of(request, visit)

    async def work(filing: Filing, session: Session) -> Response:
        case = await filing.find(session, key)
        wanted = (form or {}).get("langkah")
        if form is None or wanted not in (*case.steps, SAVE):
            return _page(request, visit, case, STALE)
        try:
            made = await _step(filing, session, case, form)
        except Refused as refused:
            return _page(request, visit, await filing.find(session, key), refused.slug or "other")
        return see(visit, MINE if wanted == "discard" else f"{MINE}/{made.id}")

    return await _worked(request, visit, f"{MINE}/{key}", work)


async def _step(filing: Filing, session: Session, case: Case, form: Mapping[str, str]) -> Draft:
    """Raises: Unavailable, NotFound, SessionEnded, Refused."""
    once = once_of(form)
    if once is None or form.get("revisi") != str(case.request.revision):
        raise Refused("request-moved-on")
    made, wanted = case.request, form["langkah"]
    if wanted != "discard":
        made = await filing.answer(session, made, _texts(case, form))
    return await filing.take(session, made, wanted, once) if wanted in STEPS else made


def _texts(case: Case, form: Mapping[str, str]) -> dict[str, str]:
    """What was written into fields that are open; of a document that is there nothing was."""
    return {
        asked.code: form[ANSWER + asked.code].strip()
        for asked in case.asked
        if ANSWER + asked.code in form and case.request.is_open(asked.code)
    }


@router.post(MINE + "/{number}/dokumen/{code}")
async def attach(
    request: Request, number: str, code: str, visit: TheVisit, _: PublicAccess
) -> Response:
    key = _key(number)
    if CODE.fullmatch(code) is None:
        raise HTTPException(404)
    if visit.session is None:  # before a document is held for nobody
        return to_sign_in(visit, f"{MINE}/{key}")
    try:
        sent, told = await read_upload(request), ""
    except FormTooLarge:
        sent, told = Sent(), TOO_LARGE
    if not told and not visit.is_ours(sent.fields.get("csrf", "")):
        told = STALE

    async def work(filing: Filing, session: Session) -> Response:
        try:
            if told:
                raise Refused(told)  # noqa: TRY301 - answered as the catalogue's refusals are
            await _attach(filing, session, (key, code), sent)
        except Refused as refused:
            case = await filing.find(session, key)
            return _page(request, visit, case, refused.slug or "other")
        return see(visit, f"{MINE}/{key}")

    return await _worked(request, visit, f"{MINE}/{key}", work)


async def _attach(filing: Filing, session: Session, place: tuple[UUID, str], sent: Sent) -> None:
    """Raises: Unavailable, NotFound, SessionEnded, Refused."""
    revision = sent.fields.get("revisi", "")
    if sent.file is None or REVISION.fullmatch(revision) is None:
        raise Refused(NO_FILE)
    await filing.attach(session, place[0], int(revision), (place[1], sent.file))


def _key(number: str) -> UUID:
    try:
        return UUID(number)
    except ValueError:
        raise HTTPException(404) from None


async def _worked(request: Request, visit: Visit, path: str, work: Work) -> Response:
    """What `work` answers for who is signed in; what fails is a page."""
    session = visit.session
    if session is None:
        return to_sign_in(visit, path)
    try:
        return await work(_filing_of(request), session)
    except SessionEnded:
        return ended(visit, path)
    except NotFound:
        return _notice(request, visit, path, SLUG_UNKNOWN)
    except Refused as refused:
        return _notice(request, visit, path, refused.slug or "other")
    except Unavailable as failure:
        return _notice(request, visit, path, "", failure)


def _page(request: Request, visit: Visit, case: Case, told: str = "") -> Response:
    status = 403 if told == STALE else 413 if told == TOO_LARGE else 422 if told else 200
    path = f"{MINE}/{case.request.id}"
    return pages.of(request, visit).html(
        "request.html", visit.language, status=status, path=path, case=case, told=told
    )


def _notice(
    request: Request, visit: Visit, path: str, told: str, failure: Unavailable | None = None
) -> Response:
    status = 503 if failure else {STALE: 403, SLUG_UNKNOWN: 404}.get(told, 422)
    answer = pages.of(request, visit).html(
        "request_notice.html", visit.language, status=status, path=path, told=told, failure=failure
    )
    if failure is not None:
        answer.headers["Retry-After"] = str(RETRY_SECONDS)
    return answer
