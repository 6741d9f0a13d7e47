"""One request of a browser: who signed in, for whom they act, and whether a form that it sends was
really shown to it. Forms are guarded as identity's are: a token made from a cookie that scripts and
other sites cannot read, and the `Origin` a browser tells must be ours.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel
from sebalai_shared.clock import Clock
from sebalai_shared.forms import FormMalformed, read_form

from sebalai_portal import texts
from sebalai_portal.sealing import Sealer

SESSION_KEPT = timedelta(hours=8)
"""As long as identity keeps an unused sign-in of the portal: a working day."""
SIGN_IN_KEPT = timedelta(minutes=10)
SESSION, BEGUN, BROWSER = "session", "sign-in", "browser"
BROWSER_BYTES, BROWSER_LENGTH = 32, 43
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


class Business(BaseModel):
    """Whom the person acts for."""

    business: UUID
    name: str
    capacity: str


class Session(BaseModel):
    """Who signed in. `refresh` gets their tokens, with the portal's own key alone."""

    refresh: str
    name: str
    acting_for: Business | None
    until: datetime


class Begun(BaseModel):
    """A sign-in that is under way in this browser; `path` is where it goes on then."""

    state: str
    verifier: str
    path: str
    language: str
    wants_business: bool
    until: datetime


@dataclass
class Visit:
    """`browser`: the value of the browser's cookie, known to nobody else."""

    public_url: str
    language: str
    sealer: Sealer
    now: datetime
    cookies: dict[str, str]
    sent_origin: str | None
    _set: dict[str, tuple[str, int | None]] = field(
        default_factory=dict[str, tuple[str, int | None]]
    )

    @classmethod
    def of(cls, request: Request, language: str) -> Visit:
        state = request.app.state
        clock: Clock = state.clock
        origin = request.headers.get("Origin")
        url = state.settings.public_url
        return cls(url, language, state.sealer, clock.now(), request.cookies, origin)

    @property
    def session(self) -> Session | None:
        found = self.sealer.open(self._cookie(SESSION), Session)
        return found if found is not None and self.now < found.until else None

    @property
    def begun(self) -> Begun | None:
        found = self.sealer.open(self._cookie(BEGUN), Begun)
        return found if found is not None and self.now < found.until else None

    @property
    def csrf(self) -> str:
        """For a form of ours; makes the browser's cookie where there is none yet."""
        if len(self._cookie(BROWSER)) != BROWSER_LENGTH:
            self._put(BROWSER, secrets.token_urlsafe(BROWSER_BYTES))
        return _form_token(self._cookie(BROWSER))

    def is_ours(self, token: str) -> bool:
        """Whether a form with this token was shown to this browser by us."""
        if self.sent_origin is not None and self.sent_origin not in _origins(self.public_url):
            return False
        browser = self._cookie(BROWSER)
        has_one = len(browser) == BROWSER_LENGTH
        return has_one and hmac.compare_digest(token.encode(), _form_token(browser).encode())

    def begin(self, begun: Begun) -> None:
        self._put(BEGUN, self.sealer.seal(begun), int(SIGN_IN_KEPT.total_seconds()))

    def enter(self, session: Session) -> None:
        """A new value for the forms too: nobody planted it before this moment."""
        self._put(SESSION, self.sealer.seal(session))
        self._put(BROWSER, secrets.token_urlsafe(BROWSER_BYTES))
        self._put(BEGUN, "", 0)

    def leave(self) -> None:
        for what in (SESSION, BROWSER, BEGUN):
            self._put(what, "", 0)

    def dress(self, answer: Response) -> Response:
        """Puts the cookies on the answer."""
        is_secure = self.public_url.startswith("https://")
        for name, (value, seconds) in self._set.items():
            answer.set_cookie(
                name, value, max_age=seconds, path="/", secure=is_secure, httponly=True,
                samesite="lax",
            )  # fmt: skip
        return answer

    def _cookie(self, what: str) -> str:
        name = _name(self.public_url, what)
        return self._set[name][0] if name in self._set else self.cookies.get(name, "")

    def _put(self, what: str, value: str, seconds: int | None = None) -> None:
        self._set[_name(self.public_url, what)] = (value, seconds)


def _name(public_url: str, what: str) -> str:
    """Identity's pages stand at the same origin, under names of their own."""
    prefix = "__Host-" if public_url.startswith("https://") else ""
    return f"{prefix}sebalai-portal-{what}"


def _form_token(browser: str) -> str:
    digest = hashlib.sha256(b"sebalai portal form\x00" + browser.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _origins(public_url: str) -> frozenset[str]:
    """Origins our pages may stand at; on loopback both spellings of this machine."""
    parts = urlsplit(public_url)
    if parts.hostname not in ("127.0.0.1", "localhost", "::1"):
        return frozenset({f"{parts.scheme}://{parts.netloc}"})
    port = f":{parts.port}" if parts.port else ""
    return frozenset(f"{parts.scheme}://{host}{port}" for host in _LOOPBACK)


async def visit_of(request: Request, lang: Annotated[str | None, Query()] = None) -> Visit:
    return Visit.of(request, texts.language_of(lang))


TheVisit = Annotated[Visit, Depends(visit_of)]


async def form_of(request: Request, visit: Visit) -> dict[str, str] | None:
    """The fields of a form of ours; None for what was not shown to this browser by us."""
    try:
        form = await read_form(request)
    except FormMalformed:
        return None
    return form if visit.is_ours(form.get("csrf", "")) else None
