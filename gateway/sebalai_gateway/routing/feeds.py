"""The gateway's snapshots: routes from exchange; keys and revocations from identity."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any

import orjson
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from sebalai_shared import http
from sebalai_shared.addresses import Reach
from sebalai_shared.broker import Broker
from sebalai_shared.caller import HEADER, AssertionSigner, Caller

from sebalai_gateway.admission.keys import KeyStore
from sebalai_gateway.admission.revoked import RevokedSet
from sebalai_gateway.routing.feed import Feed, Origin, write_whole
from sebalai_gateway.routing.table import Table
from sebalai_gateway.settings import GatewaySettings

log = logging.getLogger(__name__)

ROUTES_TYPE = "routes+jws"
_GATEWAY = Caller(kind="gateway", subject="gateway")


class NotYet(Exception):
    """No snapshot has arrived."""


@dataclass(frozen=True, slots=True)
class Trust:
    """What tokens are checked against."""

    keys: KeyStore
    revoked: RevokedSet


class Feeds:
    """Keeps the routing table and the key store fresh; `table` answers the present table."""

    def __init__(self, settings: GatewaySettings, trust: Trust, signer: AssertionSigner) -> None:
        self._settings, self._signer = settings, signer
        self._keys, self._revoked = trust.keys, trust.revoked
        self._pinned = KeySet.import_key_set(
            json.loads(settings.routes_keys_file.read_text(encoding="utf-8"))
        )
        self._table: Table | None = None
        self._broker = Broker(settings)
        self._tasks: list[asyncio.Task[None]] = []
        self._clients: list[http.Client] = []

    def table(self) -> Table | None:
        return self._table

    async def check_routes(self) -> None:
        """Raises: NotYet."""
        if self._table is None:
            raise NotYet("routes")

    async def check_keys(self) -> None:
        """Raises: NotYet."""
        if len(self._keys) == 0:
            raise NotYet("keys")

    async def start(self) -> None:
        routes = self._feed(
            "exchange",
            self._origin("routes", "/internal/routes", proves_itself=True),
            self._take_routes,
        )
        keys = self._feed("identity", self._origin("jwks", "/internal/keys"), self._take_keys)
        # Each answer holds only what is new; the whole is written by whoever puts it together.
        revoked = replace(self._origin("revoked", "/internal/revocations"), is_kept=False)
        self._keys.on_unknown = keys.ask_now
        self._load_revocations()
        feeds = (routes, keys, self._feed("identity", revoked, self._take_revocations))
        for feed in feeds:
            if feed is not feeds[2]:
                feed.load()
            self._spawn(feed.poll())
        self._spawn(self._watch(*feeds))

    def _origin(self, key: str, path: str, *, proves_itself: bool = False) -> Origin:
        file = self._settings.snapshot_dir / f"{key}.snapshot"
        return Origin(key, path, file, proves_itself)

    def _feed(self, member: str, origin: Origin, take: Callable[[bytes], int | None]) -> Feed:
        # Members stand where the operator's settings say, not where a consumer could point.
        url = self._settings.member_urls()[member]
        client = http.client(Reach.parse(["0.0.0.0/0", "::/0"]), base_url=url, read_seconds=5.0)
        self._clients.append(client)

        def headers() -> dict[str, str]:
            return {HEADER: self._signer.sign(_GATEWAY, member)}

        return Feed(origin, client, headers, take)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(work))

    async def _watch(self, *feeds: Feed) -> None:
        await self._broker.connect()
        for feed in feeds:
            await feed.watch(self._broker)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        # One that failed earlier must not keep the others from ending.
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._broker.close()
        for client in self._clients:
            await client.aclose()

    def _take_routes(self, copy: bytes) -> int | None:
        """Verifies the signature under the pinned keys, then replaces the table whole."""
        try:
            signed = jws.deserialize_compact(copy, self._pinned, algorithms=["ES256"])
        except (JoseError, ValueError) as error:
            msg = "the routing snapshot is not signed by exchange"
            raise ValueError(msg) from error
        if signed.headers().get("typ") != ROUTES_TYPE:
            msg = "the routing snapshot has another type"
            raise ValueError(msg)
        if self._table is not None and _version(signed.payload) <= self._table.version:
            return None
        self._table = Table.build(signed.payload, self._table)
        return self._table.version

    def _take_keys(self, copy: bytes) -> int | None:
        document = orjson.loads(copy)
        version = int(document["version"])
        return version if self._keys.replace(version, document["keys"]) else None

    def _take_revocations(self, copy: bytes) -> int | None:
        document = orjson.loads(copy)
        version = int(document["version"])
        self._revoked.take(version, document["entries"], is_whole=document["whole"])
        write_whole(self._origin("revoked", "").file, orjson.dumps(self._revoked.entries()))
        return version

    def _load_revocations(self) -> None:
        """What was known before this start, until identity tells all of it anew."""
        try:
            entries = orjson.loads(self._origin("revoked", "").file.read_bytes())
            self._revoked.take(-1, entries, is_whole=True)
        except FileNotFoundError:
            return
        except (OSError, ValueError, TypeError) as error:
            log.warning("the kept revocations are not used: %s", error)


def _version(payload: bytes) -> int:
    return int(orjson.loads(payload)["version"])
