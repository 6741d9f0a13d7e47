"""Whether a notice comes from the payment gateway, and not from the past."""

import hmac
from datetime import datetime, timedelta

from sebalai_shared.problems import NotFound, Unauthenticated

from sebalai_services_catalog.payments.snap import signature

NOTICE_BYTES_LIMIT = 16 * 1024
CLOCK_TOLERANCE = timedelta(minutes=5)
"""An older notice is a replay or a broken clock. Within it, the payment's number makes a repeated
notice harmless."""


class NoticesOff(NotFound):
    slug, title = "payment-notices-off", "No payment gateway is connected here"


class NoticeRefused(Unauthenticated):
    slug, title = "payment-notice-refused", "The notice does not prove to come from the gateway"


def check_notice(
    secret: str, body: bytes, headers: tuple[str, str], now: datetime, path: str
) -> None:
    """`headers`: X-TIMESTAMP and X-SIGNATURE; `path` as the gateway calls and signs it.

    Raises: NoticeRefused, without saying which part.
    """
    at, given = headers
    expected = signature(secret, "POST", path, body, at)
    is_signed = hmac.compare_digest(expected.encode(), given.encode())
    if not (is_signed and len(body) <= NOTICE_BYTES_LIMIT and _is_fresh(at, now)):
        raise NoticeRefused("Check secret, clock and the signed path.")


def _is_fresh(text: str, now: datetime) -> bool:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return False
    return at.tzinfo is not None and abs(now - at) <= CLOCK_TOLERANCE
