"""The HTTP side of exchange: which slices answer, put together in one place."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from sebalai_shared import consumer
from sebalai_shared.app import Member, create_app
from sebalai_shared.clock import Clock
from sebalai_shared.database import Database

from sebalai_exchange.agreements import api as agreements
from sebalai_exchange.deliveries import api as deliveries
from sebalai_exchange.deliveries import fetching
from sebalai_exchange.deliveries.hub import Hub
from sebalai_exchange.direct import api as direct
from sebalai_exchange.govstack import api as govstack_rooms
from sebalai_exchange.govstack import discovery as govstack_discovery
from sebalai_exchange.govstack import subscribers as govstack_subscribers
from sebalai_exchange.groups import api as groups
from sebalai_exchange.interfaces import api as interfaces
from sebalai_exchange.ledger import api as ledger
from sebalai_exchange.metaservices import api as metaservices
from sebalai_exchange.openapi.running import ContractReader
from sebalai_exchange.peers import api as peers
from sebalai_exchange.publishing import api as events
from sebalai_exchange.publishing.latest import LatestClock
from sebalai_exchange.routes import api as routes
from sebalai_exchange.routes.actions import RouteCompiler
from sebalai_exchange.routes.compile import RouteSigner
from sebalai_exchange.routes.teller import Teller
from sebalai_exchange.settings import ExchangeSettings
from sebalai_exchange.subscriptions import api as subscriptions
from sebalai_exchange.subscriptions.actions import Targets, WebhookSecrets
from sebalai_exchange.topics import api as topics
from sebalai_exchange.topics.actions import Validators
from sebalai_exchange.usage import api as usage
from sebalai_exchange.usage import counts_api as uses
from sebalai_exchange.usage.tails import Tails

NAME = "exchange"
TITLE = "Sebalai exchange: interfaces, agreements, routes and the ledger"
ROUTERS = (
    interfaces.router,
    interfaces.contracts_router,
    interfaces.internal_router,
    agreements.router,
    agreements.categories_router,
    groups.router,
    peers.router,
    metaservices.router,
    govstack_discovery.router,
    govstack_rooms.router,
    govstack_subscribers.router,
    routes.router,
    ledger.router,
    usage.router,
    uses.router,
    topics.router,
    topics.document_router,
    events.router,
    subscriptions.router,
    deliveries.router,
    fetching.router,
    direct.router,
)
# Entries that wait for their number, and what nobody tries any more.
GAUGES = consumer.GAUGES | {
    "sebalai_ledger_age_seconds": "SELECT extract(epoch FROM now() - min(received_at)) "
    "FROM ledger_entry WHERE idx IS NULL",
    "sebalai_dead_deliveries": "SELECT count(*) FROM delivery WHERE state = 'dead'",
}


def exchange_app(
    settings: ExchangeSettings, database: Database | None = None, clock: Clock | None = None
) -> FastAPI:
    """`database` and keys may be absent only to read the application's own description."""
    member = Member(
        NAME, TITLE, ROUTERS, streamed=("/v1/contracts",), lifespan=_lifespan, gauges=GAUGES
    )
    app = create_app(settings, member, database=database, clock=clock)
    app.state.routes = route_compiler(settings, app.state.clock)
    app.state.tell = None
    app.state.latest_clock = LatestClock(app.state.clock)
    app.state.contracts = ContractReader(settings.public_url)
    app.state.hub = None
    if database is not None:
        app.state.hub = Hub(settings.database_dsn(), database, app.state.clock)
    app.state.tails = Tails(app.state.clock)
    app.state.validators = Validators()
    app.state.secrets = webhook_secrets(settings)
    app.state.targets = Targets(
        settings.webhook_reach(), has_direct=settings.nats_issuer_key_file is not None
    )
    app.state.nats_servers = settings.nats_servers()
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncGenerator[None]:
    async with _telling(app):
        yield
    if app.state.hub is not None:
        await app.state.hub.close()


@asynccontextmanager
async def _telling(app: FastAPI) -> AsyncGenerator[None]:
    """Where routes are signed, gateways are told of each change before it is answered."""
    state = app.state
    if state.database is None or state.routes is None:
        yield
        return
    teller = Teller(state.settings, state.database, state.routes)
    async with teller.running():
        state.tell = teller.tell
        yield
        state.tell = None


def webhook_secrets(settings: ExchangeSettings) -> WebhookSecrets | None:
    root = settings.webhook_root()
    return None if root is None else WebhookSecrets.from_file(root)


def route_compiler(settings: ExchangeSettings, clock: Clock) -> RouteCompiler | None:
    if settings.routes_key_file is None:
        return None
    signer = RouteSigner.from_file(settings.routes_key_file)
    return RouteCompiler(signer, clock, settings.instance)
