"""Puts the gateway together: the call path and the edge as raw ASGI callables, FastAPI only for the
gateway's own health. Everything is built here and handed down.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI
from joserfc.jwk import ECKey
from prometheus_client import CollectorRegistry
from sebalai_shared import health, http
from sebalai_shared.addresses import Reach
from sebalai_shared.caller import HEADER, AssertionSigner, Caller
from sebalai_shared.clock import Clock, SystemClock
from sebalai_shared.process import every
from starlette.types import Receive, Scope, Send

from sebalai_gateway.accesslog import AccessLog
from sebalai_gateway.admission.keys import KeyStore
from sebalai_gateway.admission.proofs import ProofVerifier
from sebalai_gateway.admission.proxy import Proxy
from sebalai_gateway.admission.revoked import RevokedSet
from sebalai_gateway.admission.token import TokenVerifier
from sebalai_gateway.calls.consumer import Consumer, tell
from sebalai_gateway.calls.parts import Parts
from sebalai_gateway.calls.path import Calls
from sebalai_gateway.database import Pool
from sebalai_gateway.edge.door import Edge, is_metaservice
from sebalai_gateway.forwarding.credentials import Credentials
from sebalai_gateway.forwarding.forwarder import Forwarder
from sebalai_gateway.journal.writer import Journal
from sebalai_gateway.lanes.asgi import over_asgi
from sebalai_gateway.metering.gauges import READ_EACH_SECONDS, Gauges
from sebalai_gateway.metering.meter import Meter
from sebalai_gateway.metering.spans import Spans
from sebalai_gateway.metering.watched import watch
from sebalai_gateway.quotas.leases import Quotas
from sebalai_gateway.refusals import Refusal, say, unavailable
from sebalai_gateway.repeats.claims import Claims as RepeatClaims
from sebalai_gateway.repeats.keys import Sealer
from sebalai_gateway.repeats.store import Store as RepeatStore
from sebalai_gateway.routing.feeds import Feeds, Trust
from sebalai_gateway.routing.pulse import Pulse
from sebalai_gateway.settings import GatewaySettings
from sebalai_gateway.signatures import directory
from sebalai_gateway.signatures.nonces import Nonces
from sebalai_gateway.signatures.seals import Seals
from sebalai_gateway.signatures.signers import Signers
from sebalai_gateway.validation.contracts import Contracts

# Exchanges under way in one worker, waiting ones included; idle connections do not count.
EXCHANGES_LIMIT = 4_096
# What the gateway answers itself.
OWN = frozenset({"/livez", "/readyz", directory.PATH})


class NotUp(Exception):
    """A part that readiness names."""


@dataclass(slots=True)
class _Open:
    """What exists only while the process serves, because it needs the running loop."""

    calls: Calls
    edge: Edge


class Gateway:
    """The ASGI application."""

    def __init__(
        self,
        settings: GatewaySettings,
        clock: Clock | None = None,
        beside: Callable[[], AbstractAsyncContextManager[None]] = contextlib.nullcontext,
    ) -> None:
        self._settings, self._beside, self._at_edge = settings, beside, 0
        self._clock = clock or SystemClock()
        self._signer = AssertionSigner(
            _key(settings.caller_key_file), settings.audience, self._clock
        )
        self._keys = KeyStore()
        revoked, self._signers = RevokedSet(), Signers()
        # All processes of a gateway hold this key, so all know each other's nonces.
        secret = hashlib.sha256(settings.caller_key_file.read_bytes()).digest()
        proofs = ProofVerifier(secret, settings.public_url, mtls_url=settings.mtls_url)
        self._proxy = _proxy(settings)
        self._verifier = TokenVerifier(
            settings.public_url, settings.audience, self._keys, revoked=revoked, proofs=proofs
        )
        self._feeds = Feeds(settings, Trust(self._keys, revoked, self._signers), self._signer)
        # While the database is away a right may end that this gateway is not told of.
        self._journal = Journal(settings.database_dsn(), self._feeds.word)
        self._pulse = Pulse(self._feeds.word)
        self.metrics = CollectorRegistry()
        self._meter = Meter(self.metrics)
        self._open: _Open | None = None
        self._own = self._own_app()

    def _own_app(self) -> FastAPI:
        app = FastAPI(title="Sebalai gateway", lifespan=self._lifespan, docs_url=None)
        app.include_router(directory.router(_key(self._settings.caller_key_file)))
        app.include_router(
            health.router(
                {
                    "journal": self._check_journal,
                    "routes": self._feeds.check_routes,
                    "keys": self._feeds.check_keys,
                }
            )
        )
        return app

    async def _check_journal(self) -> None:
        if not self._journal.is_up:
            raise NotUp("journal")

    @contextlib.asynccontextmanager
    async def _lifespan(self, _: FastAPI) -> AsyncGenerator[None]:
        settings, log = self._settings, AccessLog()
        reach = Reach.parse(settings.private_providers.split(","))
        # The members stand where the operator's own settings say, on loopback or an inner network.
        members = {**settings.member_urls(), "portal": settings.portal_url}
        providers = Forwarder(reach)
        inner = Forwarder(_ANYWHERE)
        pool = Pool(settings.database_dsn())
        quotas = Quotas(pool)
        contracts = Contracts(
            http.client(_ANYWHERE, base_url=settings.exchange_url),
            lambda: {HEADER: self._signer.sign(_GATEWAY, "exchange")},
            settings.snapshot_dir / "contracts",
        )
        spans = Spans(http.client(_ANYWHERE), settings.otlp_url) if settings.otlp_url else None
        parts = Parts(
            verifier=self._verifier,
            table=self._feeds.table,
            journal=self._journal,
            forwarder=providers,
            signer=self._signer,
            claims=RepeatClaims(RepeatStore(pool), Sealer(_secret(settings.caller_key_file))),
            quotas=quotas,
            seals=seals_of(settings.caller_key_file, self._signers, pool),
            public_url=settings.public_url,
            log=log,
            contracts=contracts,
            credentials=Credentials(settings.credentials_dir),
            meter=self._meter,
            spans=spans,
            pulse=self._pulse,
        )
        edge = Edge(members, self._verifier, inner, self._signer, log)
        await self._feeds.start()
        self._journal.start()
        if spans is not None:
            spans.start()
        calls = Calls(parts)
        self._open = _Open(calls, edge)
        reading = asyncio.create_task(every(READ_EACH_SECONDS, self._reading(parts, calls)))
        beating = asyncio.create_task(self._pulse.run())
        try:
            async with self._beside():
                yield
        finally:
            self._open = None
            reading.cancel()
            beating.cancel()
            await self._feeds.close()
            await contracts.close()
            await providers.close()
            await inner.close()
            await quotas.close()
            await pool.close()
            await self._journal.close()
            if spans is not None:
                await spans.close()
            self._meter.tell()
            log.flush()

    def _reading(self, parts: Parts, calls: Calls) -> Callable[[], Awaitable[None]]:
        """What is read of this process each second."""
        watched = watch(parts, calls, self._under_way)
        gauges = Gauges(self.metrics, watched, lambda: self._feeds.ages)

        async def read() -> None:
            self._meter.tell()
            await gauges.refresh()

        return read

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._open is None or scope["path"] in OWN:
            await self._own(scope, receive, send)
        elif self.is_call(scope["path"]):
            await over_asgi(self.call, scope, receive, send)
        else:
            await self._enter_edge(self._open.edge, scope, receive, send)

    def is_call(self, path: str) -> bool:
        """Whether the path is one of the bus; the others are the edge's or the gateway's own."""
        return self._open is not None and path.startswith("/r1/") and not is_metaservice(path)

    def call(self, consumer: Consumer) -> Awaitable[None]:
        """One call, whichever way it came."""
        opened = self._open
        if opened is None or self._is_full():
            return tell(consumer, _busy())
        try:
            told = self._proxy.told(consumer.headers, consumer.address)
        except Refusal as refusal:
            return tell(consumer, refusal)
        consumer.address, consumer.certificate = told
        return opened.calls(consumer)

    def _under_way(self) -> int:
        """Calls, and what goes through the edge."""
        return self._at_edge + (self._open.calls.active if self._open is not None else 0)

    def _is_full(self) -> bool:
        return self._under_way() >= EXCHANGES_LIMIT

    async def _enter_edge(self, edge: Edge, scope: Scope, receive: Receive, send: Send) -> None:
        if self._is_full():
            await say(send, _busy())
            return
        try:
            scope = self._proxy.read(scope)
        except Refusal as refusal:
            await say(send, refusal)
            return
        self._at_edge += 1
        try:
            await edge(scope, receive, send)
        finally:
            self._at_edge -= 1


# Where the operator's own settings lead.
_ANYWHERE = Reach.parse(["0.0.0.0/0", "::/0"])
_GATEWAY = Caller(kind="gateway", subject="gateway")


def _busy() -> Refusal:
    return unavailable(
        "gateway-busy", "The gateway has too many calls under way",
        "Nothing was forwarded. Try again in a moment.",
    )  # fmt: skip


def _proxy(settings: GatewaySettings) -> Proxy:
    secret = settings.proxy_secret
    return Proxy(secret.get_secret_value() if secret else None, settings.proxy_addresses)


def _secret(path: Path) -> bytes:
    """What answers to repeated calls are sealed under: every gateway of the platform has it."""
    return hashlib.sha256(
        b"sebalai sealing\0" + json.loads(path.read_text())["d"].encode()
    ).digest()


def seals_of(path: Path, signers: Signers, pool: Pool) -> Seals:
    """Raises: ValueError, when the file holds a public key."""
    key = _key(path)
    if key.private_key is None:
        raise ValueError("the gateway's key is a public one")
    return Seals(signers, Nonces(pool), key.private_key, key.thumbprint())


def _key(path: Path) -> ECKey:
    return ECKey.import_key(json.loads(path.read_text(encoding="utf-8")))
