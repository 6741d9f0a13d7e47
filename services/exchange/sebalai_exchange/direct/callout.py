"""Who may connect: the broker asks for every connection it does not know itself (auth callout,
nats-architecture-and-design ADR-26), and is answered from the database as it is at that moment.
"""

import base64
import binascii
import logging
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from sebalai_shared.clock import Clock
from sebalai_shared.database import Database
from sebalai_shared.nkeys import AccountKey

from sebalai_exchange.direct import access
from sebalai_exchange.subscriptions.actions import opens, servings

log = logging.getLogger(__name__)

REQUEST_BYTES_MAX = 64 * 1024
PASSWORD_LENGTH_MAX = 200
# The broker closes the connection then and the client comes anew: nobody stays for ever.
LIFE_SECONDS = 3_600
# A leaf node is a whole server of the subscriber, let in as one connection with one right.
_KINDS = ["STANDARD", "WEBSOCKET", "LEAFNODE"]


@dataclass(frozen=True)
class Asked:
    """Who wants to connect to which server, by what, and when by that server's clock (Unix
    seconds): it judges our answer by its clock and not by ours.
    """

    server: str
    nkey: str
    user: str
    password: str
    at: int


class Callout:
    def __init__(self, database: Database, clock: Clock, key: AccountKey) -> None:
        self._database, self._clock, self._key = database, clock, key

    async def answer(self, request: bytes) -> bytes:
        """A signed yes or no; nothing for what is no request of a broker's."""
        asked = read(request)
        if asked is None:
            return b""
        ident = ident_of(asked.user)
        if ident is None or not await self._admits(ident, asked):
            return self._say(asked, {"error": "not admitted"})
        return self._say(asked, {"jwt": self._key.sign(self._user(asked, ident))})

    async def _admits(self, ident: UUID, asked: Asked) -> bool:
        """Whether the credential is the present one, and there is something to hear."""
        async with self._database.transaction() as session:
            if not await opens(session, ident=ident, by=(asked.user, asked.password)):
                return False
            serving = (await servings(session, self._clock, idents=[ident])).get(ident)
        return serving is not None and serving.serves("nats")

    def _user(self, asked: Asked, ident: UUID) -> dict[str, Any]:
        user = {"type": "user", "version": 2, "allowed_connection_types": _KINDS}
        return {
            "sub": asked.nkey,
            "aud": access.ACCOUNT,
            "name": asked.user,
            "iat": asked.at,
            "exp": asked.at + LIFE_SECONDS,
            "nats": access.permissions(ident) | user,
        }

    def _say(self, asked: Asked, told: dict[str, Any]) -> bytes:
        claims = {
            "sub": asked.nkey,
            "aud": asked.server,
            "iat": asked.at,
            "nats": told | {"type": "authorization_response", "version": 2},
        }
        return self._key.sign(claims).encode()


def read(request: bytes) -> Asked | None:
    """Only the broker can say anything on that subject, so its signature is not looked at."""
    try:
        if len(request) > REQUEST_BYTES_MAX:
            return None
        part = request.split(b".")[1]
        claims = orjson.loads(base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4)))
        told = claims["nats"]
        server, by = told["server_id"]["id"], told["connect_opts"]
        texts = (server, told["user_nkey"], by.get("user", ""), by.get("pass", ""))
        asked = Asked(*texts, at=claims["iat"])
    except (IndexError, KeyError, TypeError, AttributeError, ValueError, binascii.Error):
        return None
    is_typed = all(isinstance(one, str) for one in texts) and isinstance(asked.at, int)
    return asked if is_typed and len(asked.password) <= PASSWORD_LENGTH_MAX else None


def ident_of(user: str) -> UUID | None:
    """The subscription of `<id>.<number of the credential>`."""
    told = user.partition(".")[0]
    try:
        found = UUID(told)
    except ValueError:
        return None
    return found if str(found) == told else None
