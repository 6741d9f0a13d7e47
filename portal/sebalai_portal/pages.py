"""Turns what the desk read into HTML. One environment a language, made at start; autoescape is on
and an undefined name is an error, so that a page is never silently half.
"""

from __future__ import annotations

import hashlib
from functools import cache, partial
from importlib import resources
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from sebalai_shared.ids import uuid7

from sebalai_portal import texts
from sebalai_portal.visits import Visit

ASSETS = {
    "base.css": "text/css; charset=utf-8",
    "portal.css": "text/css; charset=utf-8",
    "sebalai.svg": "image/svg+xml",
}
ASSETS_PATH = "/aset"
_FOLDERS = (
    resources.files("sebalai_portal") / "static",
    resources.files("sebalai_shared") / "design",
)


@cache
def read_asset(name: str) -> bytes:
    """Our own, or of the look that all members' pages share."""
    found = (folder / name for folder in _FOLDERS)
    return next(place for place in found if place.is_file()).read_bytes()


@cache
def asset_address(name: str) -> str:
    """The address changes with the content, so that a browser may keep it for ever."""
    digest = hashlib.sha256(read_asset(name)).hexdigest()[:12]
    return f"{ASSETS_PATH}/{digest}/{name}"


class Pages:
    def __init__(self) -> None:
        assets = {name.replace(".", "_"): asset_address(name) for name in ASSETS}
        self._environments = {
            language: make_environment(language, assets) for language in texts.LANGUAGES
        }

    def html(
        self, template: str, language: str, *, status: int = 200, **values: Any
    ) -> HTMLResponse:
        environment = self._environments[language]
        return HTMLResponse(environment.get_template(template).render(**values), status)


class PagesOf:
    """The pages as one visitor sees them: every one says for whom they act."""

    def __init__(self, pages: Pages, visit: Visit) -> None:
        self._pages, self._visit = pages, visit

    def html(
        self, template: str, language: str, *, status: int = 200, **values: Any
    ) -> HTMLResponse:
        visit = self._visit
        answer = self._pages.html(template, language, status=status, visit=visit, **values)
        visit.dress(answer)
        return answer


def of(request: Request, visit: Visit | None = None) -> PagesOf:
    pages = request.app.state.pages
    assert isinstance(pages, Pages)  # noqa: S101 - set when the application is made
    return PagesOf(pages, visit or Visit.of(request, texts.HOME_LANGUAGE))


def make_environment(language: str, assets: dict[str, str]) -> Environment:
    environment = Environment(
        loader=PackageLoader("sebalai_portal"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    translations = texts.catalogue(language)
    environment.install_gettext_translations(translations, newstyle=True)  # pyright: ignore[reportAttributeAccessIssue]
    environment.filters["time"] = partial(texts.show_time, language=language)
    environment.filters["day"] = partial(texts.show_day, language=language)
    environment.filters["clock"] = partial(texts.show_day_and_clock, language=language)
    known: dict[str, object] = {
        "language": language,
        "assets": assets,
        "new_key": uuid7,
        "link": partial(link, language=language),
    }
    environment.globals.update(known)  # pyright: ignore[reportArgumentType, reportCallIssue]
    return environment


def link(path: str, language: str, **query: str | None) -> str:
    """A link that keeps the visitor's language; Indonesian needs no mark."""
    given = {name: value for name, value in query.items() if value is not None}
    if language != texts.HOME_LANGUAGE and "lang" not in query:
        given["lang"] = language
    return f"{path}?{urlencode(given)}" if given else path
