"""The gateway's snapshots: routes from exchange; keys and revocations from identity."""

from __future__ import annotations

import asyncio
import json
import logging
import time
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
from sebalai_gateway.routing.feed import SNAPSHOT_BYTES_LIMIT, Feed, Origin, unpack, write_whole
from sebalai_gateway.routing.kept import KeptRoutes
from sebalai_gateway.routing.snapshot import Head, decode_head
from sebalai_gateway.routing.table import NotFromHere, Table
from sebalai_gateway.settings import GatewaySettings
from sebalai_gateway.signatures.signers import Signers

log = logging.getLogger(__name__)

CANCEL_EACH_SECONDS = 0.25
WORD_SECONDS, ASK_EACH_SECONDS = 3.0, 0.05
ROUTES_TYPE = "routes+jws"
GZIP = "gzip"
_GATEWAY = Caller(kind="gateway", subject="gateway")


class _LargeRegistry(jws.JWSRegistry):
    """The library's own bound of 128 kB would refuse a table of some 200 agreements."""

    max_payload_length = SNAPSHOT_BYTES_LIMIT


class NotYet(Exception):
    """No snapshot has arrived."""


class Stale(Exception):
    """Neither way has answered for longer than the operator bears; calls go on by the last copy."""


@dataclass(frozen=True, slots=True)
class Trust:
    """What tokens and signatures are checked against."""

    keys: KeyStore
    revoked: RevokedSet
    signers: Signers


class Feeds:
    """Keeps the routing table and the key store fresh; `table` answers the present table."""

    def __init__(self, settings: GatewaySettings, trust: Trust, signer: AssertionSigner) -> None:
        self._settings, self._signer = settings, signer
        self._keys, self._revoked, self._signers = trust.keys, trust.revoked, trust.signers
        self._pinned = KeySet.import_key_set(
            json.loads(settings.routes_keys_file.read_text(encoding="utf-8"))
        )
        self._registry = _LargeRegistry(algorithms=["ES256"])
        self._table: Table | None = None
        self._kept = KeptRoutes(settings.snapshot_dir / "routes.snapshot")
        self._broker = Broker(settings)
        self._feeds: dict[str, Feed] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._clients: list[http.Client] = []

    def table(self) -> Table | None:
        return self._table

    @property
    def ages(self) -> dict[str, float]:
        """Seconds since each of them was heard of, by `routes`, `jwks`, `revoked`."""
        return {key: feed.age for key, feed in self._feeds.items()}

    async def check_routes(self) -> None:
        """Raises: NotYet, Stale."""
        if self._table is None:
            raise NotYet("routes")
        self._check_age("routes")

    async def check_keys(self) -> None:
        """Raises: NotYet, Stale."""
        if len(self._keys) == 0:
            raise NotYet("keys")
        self._check_age("jwks")
        self._check_age("revoked")

    def _check_age(self, key: str) -> None:
        feed = self._feeds.get(key)
        if feed is not None and feed.age > self._settings.snapshot_stale_seconds:
            raise Stale(f"{key}: nothing heard for {feed.age:.0f} s")

    async def start(self) -> None:
        # A change holds only what is new: the file is put together by `KeptRoutes`.
        origin = self._origin("routes", "/internal/routes", proves_itself=True)
        routes = self._feed("exchange", replace(origin, is_kept=False), self._take_routes)
        self._routes = routes
        self._load_routes()
        keys = self._feed("identity", self._origin("jwks", "/internal/keys"), self._take_keys)
        # Each answer holds only what is new; the whole is written by whoever puts it together.
        revoked = replace(self._origin("revoked", "/internal/revocations"), is_kept=False)
        self._keys.on_unknown = keys.ask_now
        self._load_revocations()
        signers = self._origin("signers", "/internal/signing-keys")
        asked = self._feed("identity", signers, self._take_signers)
        feeds = (routes, keys, self._feed("identity", revoked, self._take_revocations), asked)
        for feed in feeds:
            if feed in (keys, asked):
                feed.load()
            self._spawn(feed.poll())
        self._spawn(self._watch(*feeds))

    async def word(self) -> None:
        """Until each member has told anew what it knows; WORD_SECONDS at most, because calls go on
        while exchange and identity are away (ADR 0034).
        """
        since = time.monotonic()
        while quiet := [key for key, feed in self._feeds.items() if feed.asked_at < since]:
            if time.monotonic() - since > WORD_SECONDS:
                log.warning("calls go on by what was known before of %s", ", ".join(quiet))
                return
            for key in quiet:
                self._feeds[key].ask_now()
            await asyncio.sleep(ASK_EACH_SECONDS)

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

        self._feeds[origin.key] = Feed(origin, client, headers, take)
        return self._feeds[origin.key]

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(work))

    async def _watch(self, *feeds: Feed) -> None:
        await self._broker.connect()
        for feed in feeds:
            await feed.watch(self._broker)

    async def close(self) -> None:
        pending = set(self._tasks)
        while pending:
            # Again and again: nats-py may swallow a cancellation that comes while it connects.
            for task in pending:
                task.cancel()
            _, pending = await asyncio.wait(pending, timeout=CANCEL_EACH_SECONDS)
        await self._broker.close()
        for client in self._clients:
            await client.aclose()

    def _take_routes(self, copy: bytes) -> int | None:
        """Verifies the signature under the pinned keys, then replaces the table or changes it."""
        payload = self._verified(copy)
        head = decode_head(payload)
        is_news = self._table is None or head.version > self._table.version
        is_wanted = head.after == 0 and self._kept.is_long
        if not is_news and not is_wanted:
            return None
        if is_news:
            self._change(payload, head)
        self._kept.keep(copy, head.version, head.after)
        # Asked from the beginning, exchange answers with a whole one.
        return -1 if self._kept.is_long else head.version

    def _change(self, payload: bytes, head: Head) -> None:
        if head.after == 0:
            self._table = Table.build(payload, self._table)
        elif self._table is None:
            raise NotFromHere("a change came before any whole snapshot")
        else:
            self._table.apply(payload)

    def _load_routes(self) -> None:
        """The kept lines, as far as they are genuine and fit."""
        try:
            for line in self._kept.lines():
                self._load_line(line)
        except FileNotFoundError:
            return
        except OSError as error:
            log.warning("the kept routes are not used: %s", error)

    def _load_line(self, line: bytes) -> None:
        try:
            payload = self._verified(line)
            head = decode_head(payload)
            if self._table is not None and head.version <= self._table.version:
                return
            self._change(payload, head)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("a kept line of routes is not used: %s", error)
            return
        self._kept.loaded(head.version, is_whole=head.after == 0)
        self._routes.version = head.version

    def _verified(self, copy: bytes) -> bytes:
        """The payload of a snapshot that exchange signed. Raises: ValueError."""
        try:
            signed = jws.deserialize_compact(copy, self._pinned, registry=self._registry)
        except (JoseError, ValueError) as error:
            msg = "the routing snapshot is not signed by exchange"
            raise ValueError(msg) from error
        if signed.headers().get("typ") != ROUTES_TYPE:
            msg = "the routing snapshot has another type"
            raise ValueError(msg)
        if signed.headers().get("cty") == GZIP:
            return unpack(signed.payload)
        return signed.payload

    def _take_keys(self, copy: bytes) -> int | None:
        document = orjson.loads(copy)
        version = int(document["version"])
        return version if self._keys.replace(version, document["keys"]) else None

    def _take_signers(self, copy: bytes) -> int | None:
        document = orjson.loads(copy)
        version = int(document["version"])
        return version if self._signers.replace(version, document["keys"]) else None

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
