"""Makes the pages of sign-in: one environment a language, autoescape on, an undefined name is an
error. Every answer carries the headers that keep a stranger's script, frame or picture out; the
logo of an application that asks for consent is let in by its origin alone.
"""

import hashlib
from functools import cache, partial
from importlib import resources
from typing import Any
from urllib.parse import urlencode

from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from sebalai_identity.web import texts

ASSETS = {
    "base.css": "text/css; charset=utf-8",
    "identity.css": "text/css; charset=utf-8",
    "sebalai.svg": "image/svg+xml",
    "passkeys.js": "text/javascript; charset=utf-8",
}
ASSETS_PATH = "/sign-in/assets"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # The address of a page may hold an interaction: nobody else's business. `no-referrer` would
    # make browsers say `Origin: null`, and the check against forged forms reads that header.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": (
        "camera=(), geolocation=(), microphone=(), "
        "publickey-credentials-get=(self), publickey-credentials-create=(self)"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


_FOLDERS = (
    resources.files("sebalai_identity") / "web" / "static",
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


def security_headers(*, leaves_site: bool, pictures: str = "") -> dict[str, str]:
    """`pictures`: an origin that pictures may come from beside ours. `leaves_site`: the form's
    answer ends at an application elsewhere. Chromium applies `form-action` to every redirect that
    follows, also to those of the application itself, so there the directive would break sign-in and
    cannot be set.
    """
    policy = _POLICY if leaves_site else f"{_POLICY}; form-action 'self'"
    if pictures:
        policy = policy.replace("img-src 'self'", f"img-src 'self' {pictures}", 1)
    return HEADERS | {"Content-Security-Policy": policy}


class Pages:
    def __init__(self) -> None:
        assets = {name.replace(".", "_"): asset_address(name) for name in ASSETS}
        self._environments = {
            language: make_environment(language, assets) for language in texts.LANGUAGES
        }

    def html(
        self,
        template: str,
        language: str,
        *,
        status: int = 200,
        leaves_site: bool = False,
        pictures: str = "",
        **values: Any,
    ) -> HTMLResponse:
        text = self._environments[language].get_template(template).render(**values)
        headers = security_headers(leaves_site=leaves_site, pictures=pictures)
        return HTMLResponse(text, status, headers=headers)


def make_environment(language: str, assets: dict[str, str]) -> Environment:
    environment = Environment(
        loader=PackageLoader("sebalai_identity", "web/templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    translations = texts.catalogue(language)
    environment.install_gettext_translations(translations, newstyle=True)  # pyright: ignore[reportAttributeAccessIssue]
    environment.filters["time"] = partial(texts.show_time, language=language)
    known: dict[str, object] = {
        "language": language,
        "assets": assets,
        "link": partial(link, language=language),
    }
    environment.globals.update(known)  # pyright: ignore[reportArgumentType, reportCallIssue]
    return environment


def link(path: str, language: str, **query: str | None) -> str:
    """A link that keeps the visitor's language; Indonesian needs no mark."""
    given = {name: value for name, value in query.items() if value}
    if language != texts.HOME_LANGUAGE and "lang" not in query:
        given["lang"] = language
    return f"{path}?{urlencode(given)}" if given else path
