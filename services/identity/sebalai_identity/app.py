"""The HTTP side of identity: which slices answer, put together in one place."""

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from sebalai_shared.addresses import Reach
from sebalai_shared.app import Member, create_app
from sebalai_shared.clock import Clock
from sebalai_shared.database import Database

from sebalai_identity import people, signing_in
from sebalai_identity.affairs import api as affairs
from sebalai_identity.agencies import api as agencies
from sebalai_identity.applications import api as applications
from sebalai_identity.keys import api as keys
from sebalai_identity.keys.actions import Ring
from sebalai_identity.keys.sealing import sealer_of
from sebalai_identity.oauth import api as oauth
from sebalai_identity.oauth import registering, visits
from sebalai_identity.oauth.certificates import Authorities
from sebalai_identity.oauth.client_documents import ClientDocuments
from sebalai_identity.oauth.cross_origin import CrossOrigin
from sebalai_identity.oauth.register import Registers
from sebalai_identity.oauth.throttle import (
    DEVICE_FAILURES_MAX,
    DEVICE_WINDOW_SECONDS,
    FAILURES_MAX,
    OUTSIDE_TRIES_MAX,
    WINDOW_SECONDS,
    Throttle,
)
from sebalai_identity.ranks import api as ranks
from sebalai_identity.regions import api as regions
from sebalai_identity.revocations import api as revocations
from sebalai_identity.settings import IdentitySettings
from sebalai_identity.vault import NumberVault

NAME = "identity"
TITLE = "Sebalai identity: agencies, applications, keys and the OpenID Provider"
# Routes are tried one by one: what every caller needs stands first.
ROUTERS = [
    oauth.router,
    visits.router,
    registering.router,
    *signing_in.ROUTERS,
    agencies.router,
    regions.router,
    affairs.router,
    ranks.router,
    applications.router,
    applications.internal,
    keys.router,
    revocations.router,
    *people.ROUTERS,
]


def vault_of(settings: IdentitySettings) -> NumberVault | None:
    path = settings.sealing_key_file
    return NumberVault.from_file(path) if path is not None else None


def authorities_of(settings: IdentitySettings) -> Authorities | None:
    path = settings.client_authorities_file
    return Authorities.from_file(path) if path is not None else None


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncGenerator[None]:
    async with signing_in.lifespan(app):
        try:
            yield
        finally:
            await app.state.client_documents.close()


def identity_app(
    settings: IdentitySettings, database: Database | None = None, clock: Clock | None = None
) -> FastAPI:
    """`database` may be absent only to read the application's own description."""
    member = Member(NAME, TITLE, ROUTERS, lifespan=_lifespan)
    app = create_app(settings, member, database=database, clock=clock)
    app.state.client_documents = ClientDocuments(Reach.parse(settings.private_clients.split(",")))
    app.state.client_authorities = authorities_of(settings)
    app.add_middleware(CrossOrigin)
    sealer = sealer_of(settings)
    if sealer is not None:
        # Bodies here hold NIK and NIP: what is kept of them must not be found by trying.
        app.state.idempotency_secret = sealer.derive("sebalai identity: digests of bodies, v1")
    app.state.register = Registers(vault_of(settings))
    app.state.client_throttle = Throttle(time.monotonic, FAILURES_MAX, WINDOW_SECONDS)
    app.state.device_throttle = Throttle(time.monotonic, DEVICE_FAILURES_MAX, DEVICE_WINDOW_SECONDS)
    app.state.outside_throttle = Throttle(time.monotonic, OUTSIDE_TRIES_MAX, WINDOW_SECONDS)
    app.state.ring = Ring(sealer, app.state.clock)
    app.state.vault = vault_of(settings)
    signing_in.install(app, settings, sealer, database)
    return app
