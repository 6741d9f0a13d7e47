"""Which direct subscribers are connected to the broker's servers, and closing a connection.

Asked and told as a user of the system account, which may do these two things and nothing else.
"""

import logging
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson
from sebalai_shared.broker import Broker
from sebalai_shared.settings import MemberSettings

from sebalai_exchange.direct import access

log = logging.getLogger(__name__)

USER = "exchange-watch"
PAGE = 1_024
PAGES_MAX = 64
# A server of the cluster that has not answered in this time after the one before is not waited for.
QUIET_SECONDS = 0.2


def watch_broker(settings: MemberSettings) -> Broker:
    """A second connection of exchange's, with the same secret and the broker's own account."""
    user = urlsplit(settings.nats_url).username
    url = settings.nats_url.replace(f"//{user}@", f"//{USER}@", 1)
    return Broker(settings.model_copy(update={"nats_url": url}))


@dataclass(frozen=True)
class Connected:
    server: str
    number: int
    user: str


class Connections:
    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def listed(self) -> list[Connected]:
        """Direct subscribers connected now, to any server. Raises `BrokerUnavailable`."""
        found = list[Connected]()
        for number in range(PAGES_MAX):
            wanted = {"auth": True, "acc": access.ACCOUNT, "limit": PAGE, "offset": number * PAGE}
            answers = await self._broker.gather(
                "$SYS.REQ.SERVER.PING.CONNZ", orjson.dumps(wanted), QUIET_SECONDS
            )
            pages = [_page(orjson.loads(answer)) for answer in answers]
            found += [one for page in pages for one in page]
            if all(len(page) < PAGE for page in pages):
                break
        return found

    async def close(self, one: Connected) -> None:
        """Raises `BrokerUnavailable`: then nobody knows, and it is to be tried again."""
        body = orjson.dumps({"cid": one.number})
        await self._broker.gather(f"$SYS.REQ.SERVER.{one.server}.KICK", body, 0)
        log.info("closed the connection of %s", one.user)


def _page(answer: dict[str, Any]) -> list[Connected]:
    server = answer["server"]["id"]
    listed: list[dict[str, Any]] = answer.get("data", {}).get("connections") or []
    return [
        Connected(server, one["cid"], one.get("authorized_user", ""))
        for one in listed
        if one.get("account") == access.ACCOUNT
    ]
