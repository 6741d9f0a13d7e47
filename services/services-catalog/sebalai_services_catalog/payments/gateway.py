"""The payment gateway behind one interface, and its adapter in the shape of SNAP.

SNAP is Bank Indonesia's Standar Nasional Open API Pembayaran. Taken from it: virtual accounts
(`transfer-va/create-va`, `delete-va`, the `payment` notice), the headers, the symmetric signature
HMAC-SHA512 over method, path, access token, SHA-256 of the minified body and timestamp. Not taken:
the access token (B2B), whose place in the signed text stays empty; a bank that insists on it needs
that step added here.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import orjson
from sebalai_shared import http
from sebalai_shared.clock import Clock

from sebalai_services_catalog.calendar.actions import WIB
from sebalai_services_catalog.outside import send

CREATE = "/v1.0/transfer-va/create-va"
DELETE = "/v1.0/transfer-va/delete-va"
CREATED = ("2002700", "4092701")
"""Done, or done before: the answer to the first order was lost on its way."""
DELETED = ("2003100", "4043112")
"""Done, or the gateway does not know the account (any more)."""
ACCOUNT_SHAPE = re.compile(r"^[0-9]{6,28}$")

# Either a string of JSON, kept as it is, or white space between tokens.
_JSON_SPACE = re.compile(rb'("(?:[^"\\]|\\.)*")|[ \t\r\n]+')


@dataclass(frozen=True, slots=True)
class Order:
    """What the gateway is told of a bill: nothing of the person. `service` stands on the slip."""

    code: str
    service: str
    rupiah: int
    pay_until: datetime


@dataclass(frozen=True, slots=True)
class Partner:
    """How the gateway knows us: our partner number, the prefix of our accounts, our secret."""

    number: str
    prefix: str
    secret: str


class GatewayFailed(Exception):
    """The gateway did not do it; it may be asked again with the same order."""


class PaymentGateway(Protocol):
    async def open_account(self, order: Order) -> str:
        """The account's number; the same order again gives the same. Raises: GatewayFailed."""
        ...

    async def close_account(self, order: Order, account: str) -> None:
        """It takes no more money; closed already is as good. Raises: GatewayFailed."""
        ...


class SnapGateway:
    def __init__(self, client: http.Client, partner: Partner, clock: Clock) -> None:
        self._client, self._partner, self._clock = client, partner, clock

    async def open_account(self, order: Order) -> str:
        body = self._named(order) | {
            "virtualAccountName": order.service,
            "totalAmount": amount(order.rupiah),
            "expiredDate": snap_time(order.pay_until),
        }
        answer = await self._send("POST", CREATE, body, CREATED)
        given = (answer.get("virtualAccountData") or {}).get("virtualAccountNo")
        account = str(given or body["virtualAccountNo"]).strip()
        if not ACCOUNT_SHAPE.match(account):
            raise GatewayFailed("the answer holds no account number")
        return account

    async def close_account(self, order: Order, account: str) -> None:
        body = self._named(order) | {"virtualAccountNo": account}
        await self._send("DELETE", DELETE, body, DELETED)

    def _named(self, order: Order) -> dict[str, Any]:
        prefix = self._partner.prefix.rjust(8)
        return {
            "partnerServiceId": prefix,
            "customerNo": order.code,
            "virtualAccountNo": prefix + order.code,
            "trxId": order.code,
        }

    async def _send(
        self, method: str, path: str, body: dict[str, Any], done: Collection[str]
    ) -> dict[str, Any]:
        content, now = orjson.dumps(body), self._clock.now()
        at = snap_time(now)
        headers = {
            "X-TIMESTAMP": at,
            "X-SIGNATURE": signature(self._partner.secret, method, path, content, at),
            "X-PARTNER-ID": self._partner.number,
            "X-EXTERNAL-ID": f"{body['trxId']}{int(now.timestamp() * 1e6)}",
        }
        try:
            document = (await send(self._client, method, path, content, headers)).json()
            code = str(document["responseCode"])
        except (http.Error, ValueError, KeyError, TypeError) as error:
            raise GatewayFailed(type(error).__name__) from error
        if code not in done:
            raise GatewayFailed(f"response code {code[:7]}")
        return document


def signature(secret: str, method: str, path: str, body: bytes, timestamp: str) -> str:
    """Base64 of the HMAC-SHA512 that goes into X-SIGNATURE; `path` as the receiver is called."""
    digest = hashlib.sha256(minified(body)).hexdigest()
    signed = f"{method}:{path}::{digest}:{timestamp}"
    return base64.b64encode(hmac.digest(secret.encode(), signed.encode(), "sha512")).decode()


def minified(body: bytes) -> bytes:
    """JSON without the white space between its tokens; not parsed, so numbers stay as written."""
    return _JSON_SPACE.sub(rb"\1", body)


def amount(rupiah: int) -> dict[str, str]:
    return {"value": f"{rupiah}.00", "currency": "IDR"}


def snap_time(at: datetime) -> str:
    """ISO 8601 to the second in Jakarta's time, as SNAP writes every time."""
    return at.astimezone(WIB).isoformat(timespec="seconds")
