"""The gateway's two snapshots: routes from exchange, keys from identity."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
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
from sebalai_gateway.routing.feed import Feed, Origin
from sebalai_gateway.routing.table import Table
from sebalai_gateway.settings import GatewaySettings

ROUTES_TYPE = "routes+jws"
_GATEWAY = Caller(kind="gateway", subject="gateway")


class NotYet(Exception):
    """No snapshot has arrived."""


class Feeds:
    """Keeps the routing table and the key store fresh; `table` answers the present table."""

    def __init__(self, settings: GatewaySettings, keys: KeyStore, signer: AssertionSigner) -> None:
        self._settings, self._keys, self._signer = settings, keys, signer
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
        settings = self._settings
        routes = self._feed("exchange", settings.exchange_url, "routes", "/internal/routes")
        keys = self._feed("identity", settings.identity_url, "jwks", "/internal/keys")
        self._keys.on_unknown = keys.ask_now
        for feed in (routes, keys):
            feed.load()
            self._spawn(feed.poll())
        self._spawn(self._watch(routes, keys))

    def _feed(self, member: str, url: str, key: str, path: str) -> Feed:
        # Members stand where the operator's settings say, not where a consumer could point.
        client = http.client(Reach.parse(["0.0.0.0/0", "::/0"]), base_url=url, read_seconds=5.0)
        self._clients.append(client)
        take = self._take_routes if key == "routes" else self._take_keys
        file = self._settings.snapshot_dir / f"{key}.snapshot"
        origin = Origin(key, path, file, proves_itself=key == "routes")

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


def _version(payload: bytes) -> int:
    return int(orjson.loads(payload)["version"])
