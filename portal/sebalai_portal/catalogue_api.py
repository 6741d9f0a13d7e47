"""Addresses of the catalogue pages: `/data`, one dataset, `/antarmuka`."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse
from sebalai_shared.caller import PublicAccess

from sebalai_portal.api import READING, RETRY_SECONDS, Language
from sebalai_portal.catalogue import Catalogue
from sebalai_portal.failures import NotFound, Unavailable
from sebalai_portal.pages import of

WORDS_LENGTH_MAX = 100
CURSOR_LENGTH_MAX = 512
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")

router = APIRouter(include_in_schema=False)

Words = Annotated[str, Query(alias="cari")]
Cursor = Annotated[str | None, Query(alias="lanjut", max_length=CURSOR_LENGTH_MAX)]


async def _catalogue(request: Request) -> Catalogue:
    catalogue = request.app.state.catalogue
    assert isinstance(catalogue, Catalogue)  # noqa: S101 - set when the application is made
    return catalogue


TheCatalogue = Annotated[Catalogue, Depends(_catalogue)]


async def _words(cari: Words = "") -> str:
    """As much as is looked for; a longer or odd text is cut, not refused."""
    return " ".join(cari.replace("\0", " ").split())[:WORDS_LENGTH_MAX].strip()


Wanted = Annotated[str, Depends(_words)]


@router.api_route("/data", methods=READING)
async def datasets(
    request: Request,
    catalogue: TheCatalogue,
    language: Language,
    _: PublicAccess,
    words: Wanted,
    cursor: Cursor = None,
) -> HTMLResponse:
    page = CataloguePage(request, language, "/data", words)
    return await page.show("datasets.html", lambda: catalogue.datasets(words, cursor))


@router.api_route("/data/{slug}", methods=READING)
async def dataset(
    request: Request, slug: str, catalogue: TheCatalogue, language: Language, _: PublicAccess
) -> HTMLResponse:
    if SLUG.fullmatch(slug) is None:
        return CataloguePage(request, language, "/data").unknown()
    page = CataloguePage(request, language, f"/data/{slug}")
    return await page.show("dataset.html", lambda: catalogue.dataset(slug))


@router.api_route("/antarmuka", methods=READING)
async def apis(
    request: Request,
    catalogue: TheCatalogue,
    language: Language,
    _: PublicAccess,
    words: Wanted,
    cursor: Cursor = None,
) -> HTMLResponse:
    page = CataloguePage(request, language, "/antarmuka", words)
    return await page.show("apis.html", lambda: catalogue.apis(words, cursor))


class CataloguePage:
    """One page of one visitor: what was found, that there is none, or why it cannot be shown."""

    def __init__(
        self,
        request: Request,
        language: str,
        path: str,
        words: str = "",
        place: str | None = None,
    ) -> None:
        self._pages, self._language, self._path = of(request), language, path
        self._sought = {"words": words, "place": place}

    async def show(self, template: str, reading: Callable[[], Awaitable[Any]]) -> HTMLResponse:
        try:
            found = await reading()
        except NotFound:
            return self.unknown()
        except Unavailable as failure:
            answer = self._html("catalogue_unavailable.html", 503, failure=failure)
            answer.headers["Retry-After"] = str(RETRY_SECONDS)
            return answer
        return self._html(template, 200, found=found, **self._sought)

    def unknown(self) -> HTMLResponse:
        return self._html("no_page.html", 404)

    def _html(self, template: str, status: int, **values: Any) -> HTMLResponse:
        return self._pages.html(template, self._language, status=status, path=self._path, **values)
