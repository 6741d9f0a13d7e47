"""Addresses of services: `/layanan`, narrowed by words and place, and the page of one."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse
from sebalai_shared.caller import PublicAccess

from sebalai_portal.api import READING, Language
from sebalai_portal.catalogue_api import SLUG, CataloguePage, Cursor, TheCatalogue, Wanted

PLACE = re.compile(r"\d{2}\.\d{2}")

router = APIRouter(include_in_schema=False)


async def _place(tempat: Annotated[str, Query()] = "") -> str | None:
    """A kabupaten or kota; anything else narrows nothing."""
    return tempat if PLACE.fullmatch(tempat) else None


Place = Annotated[str | None, Depends(_place)]


@router.api_route("/layanan", methods=READING)
async def services(
    request: Request,
    catalogue: TheCatalogue,
    language: Language,
    _: PublicAccess,
    words: Wanted,
    place: Place,
    cursor: Cursor = None,
) -> HTMLResponse:
    page = CataloguePage(request, language, "/layanan", words, place)
    return await page.show("services.html", lambda: catalogue.services(words, place, cursor))


@router.api_route("/layanan/{slug}", methods=READING)
async def service(
    request: Request, slug: str, catalogue: TheCatalogue, language: Language, _: PublicAccess
) -> HTMLResponse:
    if SLUG.fullmatch(slug) is None:
        return CataloguePage(request, language, "/layanan").unknown()
    page = CataloguePage(request, language, f"/layanan/{slug}")
    return await page.show("service.html", lambda: catalogue.service(slug))
