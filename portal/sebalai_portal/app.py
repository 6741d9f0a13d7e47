"""Puts the portal together: one HTTP client, one key, one cache, its pages."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from fastapi import FastAPI, Request
from sebalai_shared import http
from sebalai_shared.addresses import Reach
from sebalai_shared.app import Member, create_app
from sebalai_shared.clock import Clock, SystemClock
from starlette.exceptions import HTTPException
from starlette.responses import Response

from sebalai_portal import api, catalogue_api, filing_api, matters_api, services_api, sign_in_api
from sebalai_portal.bus import Bus
from sebalai_portal.cache import Cache
from sebalai_portal.catalogue import Catalogue
from sebalai_portal.desk import Desk
from sebalai_portal.filing import Filing
from sebalai_portal.headers import SecurityHeaders
from sebalai_portal.matters import Matters
from sebalai_portal.pages import Pages
from sebalai_portal.proof import Proof
from sebalai_portal.sealing import Sealer
from sebalai_portal.settings import PortalSettings
from sebalai_portal.signing_in import SignIn
from sebalai_portal.tokens import TokenSource

GATEWAY_READ_SECONDS = 5.0

log = logging.getLogger(__name__)


def portal_app(settings: PortalSettings, clock: Clock | None = None) -> FastAPI:
    """The application. Raises OSError or ValueError when its key cannot be read."""
    clock = clock or SystemClock()
    host = urlsplit(settings.gateway_url).hostname or ""
    client = http.client(
        Reach.parse([host]), base_url=settings.gateway_url, read_seconds=GATEWAY_READ_SECONDS
    )
    proof = Proof(settings, clock)
    bus = Bus(client, TokenSource(client, proof, clock), settings.instance)

    async def gateway_lives() -> None:
        (await client.fetch("/livez")).raise_for_status()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        async with client:
            yield

    member = Member(
        name="portal",
        title="Portal",
        routers=[
            api.router, catalogue_api.router, services_api.router, sign_in_api.router,
            matters_api.router, filing_api.router,
        ],
        checks={"gateway": gateway_lives},
        lifespan=lifespan,
        streamed=filing_api.STREAMED,
    )  # fmt: skip
    app = create_app(settings, member, clock=clock)
    app.state.desk, app.state.pages = Desk(bus, Cache(clock)), Pages()
    app.state.catalogue = Catalogue(bus, Cache(clock))
    app.state.sealer = Sealer(proof.secret("sebalai portal cookies 1"))
    app.state.sign_in = SignIn(client, proof, settings, clock)
    app.state.matters = Matters(client, app.state.sign_in)
    app.state.filing = Filing(app.state.matters, app.state.catalogue)
    app.add_exception_handler(HTTPException, api.page_for_status)
    app.add_exception_handler(Exception, _on_fault)
    app.add_middleware(SecurityHeaders)
    return app


async def _on_fault(request: Request, error: Exception) -> Response:
    log.error("unexpected failure", exc_info=error)
    return await api.page_for_fault(request, error)
