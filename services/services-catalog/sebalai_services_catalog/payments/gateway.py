"""The payment gateway behind one interface, and its adapter in the shape of SNAP.

SNAP is Bank Indonesia's Standar Nasional Open API Pembayaran. Taken from it: virtual accounts
(`transfer-va/create-va`, `delete-va`, the `payment` notice), codes of QRIS (`qr/qr-mpm-generate`,
the `qr-mpm-notify` notice), the headers, the symmetric signature
HMAC-SHA512 over method, path, access token, SHA-256 of the minified body and timestamp, and the
access token (B2B, `snap_token`), whose place in the signed text stays empty where there is none.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import orjson
from sebalai_shared import http
from sebalai_shared.clock import Clock

from sebalai_services_catalog.outside import send
from sebalai_services_catalog.payments.qris import QrisInvalid, check
from sebalai_services_catalog.payments.snap import GatewayFailed, amount, signature, snap_time
from sebalai_services_catalog.payments.snap_token import SnapTokens

CREATE = "/v1.0/transfer-va/create-va"
DELETE = "/v1.0/transfer-va/delete-va"
CREATED = ("2002700", "4092701")
"""Done, or done before: the answer to the first order was lost on its way."""
QRIS = "/v1.0/qr/qr-mpm-generate"
GIVEN = ("2004700",)
DELETED = ("2003100", "4043112")
"""Done, or the gateway does not know the account (any more)."""
ACCOUNT_SHAPE = re.compile(r"^[0-9]{6,28}$")


@dataclass(frozen=True, slots=True)
class Order:
    """What the gateway is told of a bill: nothing of the person. `service` stands on the slip."""

    code: str
    service: str
    rupiah: int
    pay_until: datetime


@dataclass(frozen=True, slots=True)
class Partner:
    """How the gateway knows us: partner number, prefix of our accounts, secret; `merchant` is our
    number at QRIS, empty where we are none.
    """

    number: str
    prefix: str
    secret: str
    merchant: str = ""


class PaymentGateway(Protocol):
    async def open_account(self, order: Order) -> str:
        """The account's number; the same order again gives the same. Raises: GatewayFailed."""
        ...

    async def make_code(self, reference: str, rupiah: int, until: datetime) -> str:
        """A QRIS code of exactly this amount, checked. Raises: GatewayFailed."""
        ...

    async def close_account(self, order: Order, account: str) -> None:
        """It takes no more money; closed already is as good. Raises: GatewayFailed."""
        ...


class SnapGateway:
    """`tokens` where the gateway asks for SNAP's access token."""

    def __init__(
        self, client: http.Client, partner: Partner, clock: Clock, tokens: SnapTokens | None = None
    ) -> None:
        self._client, self._partner, self._clock = client, partner, clock
        self._tokens = tokens

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

    async def make_code(self, reference: str, rupiah: int, until: datetime) -> str:
        body = {
            "partnerReferenceNo": reference,
            "amount": amount(rupiah),
            "merchantId": self._partner.merchant,
            "validityPeriod": snap_time(until),
        }
        content = str((await self._send("POST", QRIS, body, GIVEN)).get("qrContent") or "")
        try:
            check(content, rupiah)
        except QrisInvalid as error:
            raise GatewayFailed(f"the code is not to be paid by: {error}") from error
        return content

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
        code, document = await self._try(method, path, body)
        if code.startswith("401") and self._tokens is not None:
            self._tokens.forget()
            code, document = await self._try(method, path, body)
        if code not in done:
            raise GatewayFailed(f"response code {code[:7]}")
        return document

    async def _try(
        self, method: str, path: str, body: dict[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        content, now = orjson.dumps(body), self._clock.now()
        number = body.get("trxId") or body["partnerReferenceNo"]
        at, token = snap_time(now), await self._tokens.current() if self._tokens else ""
        headers = {
            "X-TIMESTAMP": at,
            "X-SIGNATURE": signature(self._partner.secret, method, path, content, at, token),
            "X-PARTNER-ID": self._partner.number,
            "X-EXTERNAL-ID": f"{number}{int(now.timestamp() * 1e6)}",
        } | ({"Authorization": f"Bearer {token}"} if token else {})
        try:
            document = (await send(self._client, method, path, content, headers)).json()
            return str(document["responseCode"]), document
        except (http.Error, ValueError, KeyError, TypeError) as error:
            raise GatewayFailed(type(error).__name__) from error
