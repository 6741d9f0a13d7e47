"""One request of a browser to the pages: its cookies, language, network, and whether a form that it
sends was really shown to it.

Every form carries a token made from a cookie that scripts and other sites cannot read, and the
`Origin` a browser tells must be ours (OWASP CSRF: double submit bound to a cookie, and origin).
"""

import base64
import hashlib
import hmac
import ipaddress
import secrets
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from fastapi import Request, Response
from sebalai_shared.problems import Forbidden

BROWSER_BYTES = 32
BROWSER_LENGTH = 43
DEVICE_SECONDS = 400 * 24 * 3600
OUTSIDE_SECONDS = 600
SOURCE_HEADER = "Sebalai-Source"
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_SYSTEMS = ("Android", "iPhone", "iPad", "Windows", "Mac OS", "CrOS", "Linux")
_BROWSERS = {"Edg/": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome",
             "Safari/": "Safari"}  # fmt: skip


class FormForged(Forbidden):
    slug, title = "form-forged", "This form was not sent from our page, or the page is too old"


def origins_of(public_url: str) -> frozenset[str]:
    """Origins our pages may stand at; on loopback both spellings of this machine."""
    parts = urlsplit(public_url)
    if parts.hostname not in ("127.0.0.1", "localhost", "::1"):
        return frozenset({f"{parts.scheme}://{parts.netloc}"})
    port = f":{parts.port}" if parts.port else ""
    return frozenset(f"{parts.scheme}://{host}{port}" for host in _LOOPBACK)


@dataclass
class Visit:
    """`browser`: the value of the browser's cookie, known to nobody else; a fresh one is set with
    the answer when the request brought none.
    """

    public_url: str
    language: str
    browser: str
    network: str
    device_name: str
    session_cookie: str | None = None
    device_cookie: str | None = None
    outside_cookie: str | None = None
    sent_origin: str | None = None
    _set: dict[str, tuple[str, int | None]] = field(
        default_factory=dict[str, tuple[str, int | None]]
    )

    @classmethod
    def of(cls, request: Request, language: str, session_name: str) -> "Visit":
        public_url: str = request.app.state.settings.public_url
        cookies = request.cookies
        visit = cls(
            public_url=public_url,
            language=language,
            browser=cookies.get(_name(public_url, "browser"), ""),
            network=network_of(request),
            device_name=device_name(request.headers.get("User-Agent", "")),
            session_cookie=cookies.get(session_name),
            device_cookie=cookies.get(_name(public_url, "device")),
            outside_cookie=cookies.get(_name(public_url, "outside")),
            sent_origin=request.headers.get("Origin"),
        )
        if len(visit.browser) != BROWSER_LENGTH:
            visit.renew_browser()
        return visit

    @property
    def csrf(self) -> str:
        digest = hashlib.sha256(b"sebalai form\x00" + self.browser.encode()).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def check_form(self, token: str | None) -> None:
        """Raises `FormForged`."""
        is_ours = self.sent_origin is None or self.sent_origin in origins_of(self.public_url)
        if not is_ours or not hmac.compare_digest((token or "").encode(), self.csrf.encode()):
            raise FormForged("Open the page again and send its form once more.")

    def renew_browser(self) -> str:
        """A value that nobody could have planted before this moment."""
        self.browser = secrets.token_urlsafe(BROWSER_BYTES)
        self.put(_name(self.public_url, "browser"), self.browser)
        return self.browser

    def remember_device(self) -> str:
        if self.device_cookie is None or len(self.device_cookie) != BROWSER_LENGTH:
            self.device_cookie = secrets.token_urlsafe(BROWSER_BYTES)
        self.put(_name(self.public_url, "device"), self.device_cookie, DEVICE_SECONDS)
        return self.device_cookie

    def remember_outside(self, token: str) -> None:
        """Opens an identity of an outside provider that waits to be linked, in this browser."""
        self.outside_cookie = token
        self.put(_name(self.public_url, "outside"), token, OUTSIDE_SECONDS)

    def forget_outside(self) -> None:
        self.outside_cookie = None
        self.put(_name(self.public_url, "outside"), "", 0)

    def put(self, name: str, value: str, seconds: int | None = None) -> None:
        """A cookie set with the answer; 0 seconds takes it away, None ends with the browser."""
        self._set[name] = (value, seconds)

    def dress(self, answer: Response) -> Response:
        """Puts the cookies on the answer."""
        for name, (value, seconds) in self._set.items():
            answer.set_cookie(
                name,
                value,
                max_age=seconds,
                path="/",
                secure=name.startswith("__Host-"),
                httponly=True,
                samesite="lax",
            )
        return answer


def _name(public_url: str, what: str) -> str:
    prefix = "__Host-" if public_url.startswith("https://") else ""
    return f"{prefix}sebalai-{what}"


def network_of(request: Request) -> str:
    """/24 or /48 of where the browser is, as the gateway tells it: enough to recognise, too little
    to follow somebody.
    """
    told = request.headers.get(SOURCE_HEADER) or (request.client.host if request.client else "")
    try:
        address = ipaddress.ip_address(told)
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    width = 24 if address.version == 4 else 48
    return str(ipaddress.ip_network((address, width), strict=False))


def device_name(agent: str) -> str:
    """`Firefox, Linux`: what a person recognises; the whole string is not kept."""
    system = next((name for name in _SYSTEMS if name in agent), "")
    browser = next((name for mark, name in _BROWSERS.items() if mark in agent), "")
    return ", ".join(name for name in (browser, system) if name)
