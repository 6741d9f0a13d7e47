"""What sign-in brings to the member: the routers of its pages, and what they stand on."""

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI
from sebalai_shared.clock import Clock
from sebalai_shared.database import Database

from sebalai_identity.acting import api as acting
from sebalai_identity.consents import api as consents
from sebalai_identity.credentials import api as credentials
from sebalai_identity.credentials.actions import Breached, Keeper, PasswordWorkers, Secrets
from sebalai_identity.keys.sealing import Sealer
from sebalai_identity.my_access import api as my_access
from sebalai_identity.my_access import passkey_api as my_passkeys
from sebalai_identity.outside_providers import api as outside_providers
from sebalai_identity.outside_providers.actions import KeyFolder, OutsideProviders, far_of
from sebalai_identity.outside_sign_in import api as outside_sign_in
from sebalai_identity.settings import IdentitySettings
from sebalai_identity.sign_in import api as sign_in
from sebalai_identity.sign_in import passkey_api as sign_in_passkeys
from sebalai_identity.web.pages import Pages

ROUTERS: list[APIRouter] = [
    sign_in.router,
    sign_in_passkeys.router,
    acting.router,
    consents.router,
    credentials.router,
    my_access.router,
    my_passkeys.router,
    outside_providers.router,
    outside_sign_in.router,
]


def secrets_of(sealer: Sealer | None) -> Secrets | None:
    """Keys of sign-in, derived from the sealing key for their purposes."""
    if sealer is None:
        return None
    sealing = Sealer(sealer.derive("sebalai identity: credentials at rest, v1"))
    return Secrets(sealing, sealer.derive("sebalai identity: counters of attempts, v1"))


def keeper_of(
    settings: IdentitySettings, sealer: Sealer | None, database: Database, clock: Clock
) -> Keeper:
    breached = Breached(settings.breached_passwords_file)
    return Keeper(database, clock, PasswordWorkers(), secrets_of(sealer), breached)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
    yield
    await app.state.outside.far.aclose()


def install(
    app: FastAPI, settings: IdentitySettings, sealer: Sealer | None, database: Database | None
) -> None:
    app.state.pages = Pages()
    app.state.outside = OutsideProviders(
        far_of(settings.private_outside_providers, time.monotonic),
        KeyFolder(settings.outside_keys_dir),
        app.state.clock,
        settings.public_url,
    )
    if database is not None:
        app.state.keeper = keeper_of(settings, sealer, database, app.state.clock)
