"""Addresses of who signed in: `/urusan`, with their requests and complaints or those of the
business they act for, and `/pengaduan`, where a complaint is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from sebalai_shared.caller import PublicAccess
from sebalai_shared.ids import uuid7

from sebalai_portal import pages
from sebalai_portal.failures import NotFound, Unavailable
from sebalai_portal.matters import Matters, Refused
from sebalai_portal.sign_in_api import ENDED, MINE, NO_BUSINESS, READING, STALE, see, to_sign_in
from sebalai_portal.signing_in import SessionEnded
from sebalai_portal.visits import Session, TheVisit, Visit, form_of

COMPLAIN = "/pengaduan"
COMPLAINED = "pengaduan"
KINDS = ("pengaduan", "permintaan_informasi", "aspirasi")
MESSAGES = (COMPLAINED, NO_BUSINESS)
INVALID, MISSING = "field-invalid", "not-found"
SLUG_LENGTH_MAX = 80

router = APIRouter(include_in_schema=False)


def matters_of(request: Request) -> Matters:
    found = request.app.state.matters
    assert isinstance(found, Matters)  # noqa: S101 - set when the application is made
    return found


def ended(visit: Visit, path: str) -> Response:
    """Signed out elsewhere, or the representation ended: nothing of it stays in the browser."""
    visit.leave()
    return to_sign_in(visit, path, ENDED)


@router.api_route(MINE, methods=READING)
async def mine(
    request: Request,
    visit: TheVisit,
    _: PublicAccess,
    pesan: Annotated[str, Query(max_length=SLUG_LENGTH_MAX)] = "",
) -> Response:
    session = visit.session
    if session is None:
        return to_sign_in(visit, MINE)
    found, failure = None, None
    try:
        found = await matters_of(request).mine(session)
    except SessionEnded:
        return ended(visit, MINE)
    except Unavailable as error:
        failure = error
    return pages.of(request, visit).html(
        "matters.html", visit.language, path=MINE, found=found, failure=failure,
        told=pesan if pesan in MESSAGES else "",
    )  # fmt: skip


@router.api_route(COMPLAIN, methods=READING)
async def complaint(
    request: Request,
    visit: TheVisit,
    _: PublicAccess,
    layanan: Annotated[str, Query(max_length=SLUG_LENGTH_MAX)] = "",
) -> Response:
    if visit.session is None:
        return to_sign_in(visit, COMPLAIN)
    return _form(request, visit, {"layanan": layanan})


@router.post(COMPLAIN)
async def complain(request: Request, visit: TheVisit, _: PublicAccess) -> Response:
    session, form = visit.session, await form_of(request, visit)
    if session is None or form is None:
        return _form(request, visit, {}, STALE) if session else to_sign_in(visit, COMPLAIN)
    try:
        return await _file(request, visit, session, form)
    except SessionEnded:
        return ended(visit, COMPLAIN)
    except (Refused, NotFound) as refused:
        told = refused.slug if isinstance(refused, Refused) else MISSING
        return _form(request, visit, form, told or INVALID)
    except Unavailable as failure:
        return _form(request, visit, form, failure=failure)


async def _file(
    request: Request, visit: Visit, session: Session, form: Mapping[str, str]
) -> Response:
    """For whom the page said: who changed that in another window is shown the form again, now with
    the other name on it. Raises: Unavailable, NotFound, SessionEnded, Refused.
    """
    once = once_of(form)
    if form.get("untuk") != party_of(session) or once is None:
        raise Refused(STALE)
    said: dict[str, Any] = {
        "kind": form.get("jenis") if form.get("jenis") in KINDS else KINDS[0],
        "title": form.get("judul", "").strip(),
        "body": form.get("isi", "").strip(),
        "secret": form.get("rahasia") == "ya",
        "reporter_name": session.name or None,
    }
    if form.get("layanan", "").strip():
        said["service"] = form["layanan"].strip()
    await matters_of(request).complain(session, said, once)
    return see(visit, MINE, pesan=COMPLAINED)


def party_of(session: Session) -> str:
    """Whose matter a form makes it, as the form itself was shown to say."""
    return str(session.acting_for.business) if session.acting_for else "diri"


def once_of(form: Mapping[str, str]) -> UUID | None:
    try:
        return UUID(form.get("sekali", ""))
    except ValueError:
        return None


def _form(
    request: Request,
    visit: Visit,
    form: Mapping[str, str],
    told: str = "",
    failure: Unavailable | None = None,
) -> Response:
    """The form with what was written in it; sent once more it is the same complaint."""
    session = visit.session
    status = 503 if failure else 403 if told == STALE else 422 if told else 200
    return pages.of(request, visit).html(
        "complaint.html", visit.language, status=status, path=COMPLAIN, kinds=KINDS, form=form,
        once=once_of(form) or uuid7(), party=party_of(session) if session else "", told=told,
        failure=failure,
    )  # fmt: skip
