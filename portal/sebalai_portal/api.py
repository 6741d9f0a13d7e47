"""The addresses of the portal. They answer pages, not an API: others read the bus themselves."""

from __future__ import annotations

import re
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse
from sebalai_shared.caller import PublicAccess
from starlette.exceptions import HTTPException

from sebalai_portal import headers, pages, texts
from sebalai_portal.desk import Desk
from sebalai_portal.failures import NotFound, Unavailable

ASSET_KEPT = "public, max-age=31536000, immutable"
RETRY_SECONDS = 5
WITH_OWN_CALLS = "tampil"
READING = ["GET", "HEAD"]
VERIFICATION_CODE = re.compile(r"[A-Za-z0-9_-]{20}")
DIGEST_LENGTH_MAX = 200

router = APIRouter(include_in_schema=False)


async def _language(lang: Annotated[str | None, Query()] = None) -> str:
    return texts.language_of(lang)


async def _desk(request: Request) -> Desk:
    desk = request.app.state.desk
    assert isinstance(desk, Desk)  # noqa: S101 - set when the application is made
    return desk


Language = Annotated[str, Depends(_language)]
TheDesk = Annotated[Desk, Depends(_desk)]


@router.api_route("/", methods=READING)
async def overview(
    request: Request,
    desk: TheDesk,
    language: Language,
    _: PublicAccess,
    portal: Annotated[str | None, Query()] = None,
) -> HTMLResponse:
    with_own_calls = portal == WITH_OWN_CALLS
    shown = await desk.overview(with_own_calls=with_own_calls)
    return pages.of(request).html(
        "overview.html",
        language,
        path="/",
        shown=shown,
        portal=WITH_OWN_CALLS if with_own_calls else None,
    )


@router.api_route("/panggilan/{message_id}", methods=READING)
async def call(
    request: Request, message_id: str, desk: TheDesk, language: Language, _: PublicAccess
) -> HTMLResponse:
    path = f"/panggilan/{message_id}"
    try:
        found = await desk.call(_uuid(message_id))
    except NotFound:
        return pages.of(request).html("call_unknown.html", language, status=404, path=path)
    except Unavailable as failure:
        answer = pages.of(request).html(
            "call_unavailable.html", language, status=503, path=path, failure=failure
        )
        answer.headers["Retry-After"] = str(RETRY_SECONDS)
        return answer
    return pages.of(request).html("call.html", language, path=path, call=found)


@router.api_route("/verifikasi/{code}", methods=READING)
async def verification(
    request: Request,
    code: str,
    desk: TheDesk,
    language: Language,
    _: PublicAccess,
    sha256: Annotated[str | None, Query(max_length=DIGEST_LENGTH_MAX)] = None,
) -> HTMLResponse:
    """What the QR code on a letter leads to; with `sha256`, whether that is one of its files."""
    path = f"/verifikasi/{code}"
    page = partial(pages.of(request).html, language=language, path=path)
    if VERIFICATION_CODE.fullmatch(code) is None:
        return page("verification_unknown.html", status=404, path="/")
    try:
        found = await desk.verification(code)
    except NotFound:
        return page("verification_unknown.html", status=404)
    except Unavailable as failure:
        answer = page("verification_unavailable.html", status=503, failure=failure)
        answer.headers["Retry-After"] = str(RETRY_SECONDS)
        return answer
    digest = "".join((sha256 or "").split()).lower()
    same = found.letter.file_with(digest)
    return page("verification.html", verified=found, digest=digest, same=same)


@router.api_route(pages.ASSETS_PATH + "/{digest}/{name}", methods=READING)
async def asset(digest: str, name: str, _: PublicAccess) -> Response:
    if name not in pages.ASSETS or pages.asset_address(name).split("/")[2] != digest:
        raise HTTPException(404)
    return Response(
        pages.read_asset(name),
        media_type=pages.ASSETS[name],
        headers={"Cache-Control": ASSET_KEPT},
    )


def _uuid(text: str) -> UUID:
    """Raises: NotFound, because what is not a number of a message names no call."""
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound(text) from error


async def page_for_status(request: Request, error: Exception) -> Response:
    """A page instead of a problem document for a person who took a wrong address."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it only
    language = texts.language_of(request.query_params.get("lang"))
    template = "no_page.html" if error.status_code == 404 else "not_served.html"
    answer = pages.of(request).html(template, language, status=error.status_code, path="/")
    answer.headers.update(error.headers or {})
    return answer


async def page_for_fault(request: Request, _: Exception) -> Response:
    language = texts.language_of(request.query_params.get("lang"))
    answer = pages.of(request).html("fault.html", language, status=500, path="/")
    # This answer is made outside the middleware that guards the others.
    answer.headers.update(headers.HEADERS)
    return answer
