"""How SNAP writes and signs: Bank Indonesia's Standar Nasional Open API Pembayaran."""

import base64
import hashlib
import hmac
import re
from datetime import datetime

from sebalai_services_catalog.calendar.actions import WIB

# Either a string of JSON, kept as it is, or white space between tokens.
_JSON_SPACE = re.compile(rb'("(?:[^"\\]|\\.)*")|[ \t\r\n]+')


class GatewayFailed(Exception):
    """The gateway did not do it; it may be asked again with the same order."""


def signature(
    secret: str, method: str, path: str, body: bytes, timestamp: str, token: str = ""
) -> str:
    """Base64 of the HMAC-SHA512 that goes into X-SIGNATURE; `path` as the receiver is called, and
    `token` the access token, where the gateway gives one.
    """
    digest = hashlib.sha256(minified(body)).hexdigest()
    signed = f"{method}:{path}:{token}:{digest}:{timestamp}"
    return base64.b64encode(hmac.digest(secret.encode(), signed.encode(), "sha512")).decode()


def minified(body: bytes) -> bytes:
    """JSON without the white space between its tokens; not parsed, so numbers stay as written."""
    return _JSON_SPACE.sub(rb"\1", body)


def amount(rupiah: int) -> dict[str, str]:
    return {"value": f"{rupiah}.00", "currency": "IDR"}


def snap_time(at: datetime) -> str:
    """ISO 8601 to the second in Jakarta's time, as SNAP writes every time."""
    return at.astimezone(WIB).isoformat(timespec="seconds")
