"""SNAP's access token between businesses (B2B): asked for with our RSA key, used until shortly
before it ends.

Source: Bank Indonesia's Standar Nasional Open API Pembayaran, `access-token/b2b` (service 73): the
asymmetric signature is SHA256withRSA over client key, `|` and timestamp.
"""

import asyncio
import base64
from datetime import datetime, timedelta

import orjson
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from sebalai_shared import http
from sebalai_shared.clock import Clock

from sebalai_services_catalog.outside import send
from sebalai_services_catalog.payments.snap import GatewayFailed, snap_time

TOKEN = "/v1.0/access-token/b2b"  # noqa: S105 - a path
GIVEN = "2007300"
SPARE = timedelta(seconds=60)
"""Asked for anew so long before its end: a call may be on its way for as long as it may take."""
BODY = orjson.dumps({"grantType": "client_credentials"})


class SnapTokens:
    """The current token of one client of the gateway."""

    def __init__(
        self, client: http.Client, client_key: str, key: RSAPrivateKey, clock: Clock
    ) -> None:
        self._client, self._client_key, self._key, self._clock = client, client_key, key, clock
        self._asking = asyncio.Lock()
        self._token, self._until = "", clock.now()

    async def current(self) -> str:
        """Raises: GatewayFailed."""
        async with self._asking:
            if not self._token or self._clock.now() >= self._until:
                self._token, self._until = await self._ask(self._clock.now())
            return self._token

    def forget(self) -> None:
        """The gateway takes it no more."""
        self._token = ""

    async def _ask(self, now: datetime) -> tuple[str, datetime]:
        at = snap_time(now)
        signed = self._key.sign(f"{self._client_key}|{at}".encode(), PKCS1v15(), SHA256())
        headers = {
            "X-TIMESTAMP": at,
            "X-CLIENT-KEY": self._client_key,
            "X-SIGNATURE": base64.b64encode(signed).decode(),
        }
        try:
            answer = (await send(self._client, "POST", TOKEN, BODY, headers)).json()
            if answer["responseCode"] != GIVEN:
                raise GatewayFailed("no access token")
            lives = timedelta(seconds=int(answer["expiresIn"]))
            return str(answer["accessToken"]), now + lives - SPARE
        except (http.Error, ValueError, KeyError, TypeError) as error:
            raise GatewayFailed(type(error).__name__) from error


def read_rsa_key(pem: bytes) -> RSAPrivateKey:
    """Raises: ValueError for what is no RSA key."""
    key = load_pem_private_key(pem, None)
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("payments_key_file holds no RSA key")  # noqa: TRY004 - a wrong value
    return key
