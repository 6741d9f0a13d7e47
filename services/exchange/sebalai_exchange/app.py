"""The HTTP side of exchange: which slices answer, put together in one place."""

from fastapi import FastAPI
from sebalai_shared.app import Member, create_app
from sebalai_shared.clock import Clock
from sebalai_shared.database import Database

from sebalai_exchange.agreements import api as agreements
from sebalai_exchange.interfaces import api as interfaces
from sebalai_exchange.settings import ExchangeSettings

NAME = "exchange"
TITLE = "Sebalai exchange: interfaces, agreements, routes and the ledger"


def exchange_app(
    settings: ExchangeSettings, database: Database | None = None, clock: Clock | None = None
) -> FastAPI:
    """`database` may be absent only to read the application's own description."""
    member = Member(NAME, TITLE, [interfaces.router, agreements.router])
    return create_app(settings, member, database=database, clock=clock)
