"""The HTTP side of the services catalogue: which slices answer, put together in one place."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from sebalai_shared import consumer
from sebalai_shared.app import Member, create_app
from sebalai_shared.clock import Clock, SystemClock
from sebalai_shared.database import Database

from sebalai_services_catalog.apis import api as apis
from sebalai_services_catalog.apis import register_api as register
from sebalai_services_catalog.calendar import api as calendar
from sebalai_services_catalog.complaints import api as complaints
from sebalai_services_catalog.datasets import api as datasets
from sebalai_services_catalog.datasets import ckan_api as ckan
from sebalai_services_catalog.datasets import dcat_api as dcat
from sebalai_services_catalog.evidence import api as evidence
from sebalai_services_catalog.evidence.source import Bus
from sebalai_services_catalog.exports import api as exports
from sebalai_services_catalog.indices import api as indices
from sebalai_services_catalog.indices import evidence_api as measured
from sebalai_services_catalog.kept import KeptAnswers
from sebalai_services_catalog.maklumat import api as maklumat
from sebalai_services_catalog.payments.jobs import payments_client, snap_gateway
from sebalai_services_catalog.performance import api as performance
from sebalai_services_catalog.processing import api as processing
from sebalai_services_catalog.reference import api as reference
from sebalai_services_catalog.regulations import api as regulations
from sebalai_services_catalog.requests import api as requests
from sebalai_services_catalog.requests import batch_api as batches
from sebalai_services_catalog.requests import payment_api as payments
from sebalai_services_catalog.requests import qris_api as qris
from sebalai_services_catalog.requests import ticket_api as tickets
from sebalai_services_catalog.services import api as services
from sebalai_services_catalog.services import draft_api as drafts
from sebalai_services_catalog.services import places_api as places
from sebalai_services_catalog.services import search_api as search
from sebalai_services_catalog.settings import CatalogSettings
from sebalai_services_catalog.software import api as software
from sebalai_services_catalog.surveys import api as surveys

NAME = "catalog"
TITLE = "Sebalai catalogue: services, reference lists and the list of interfaces"


def catalog_app(
    settings: CatalogSettings, database: Database | None = None, clock: Clock | None = None
) -> FastAPI:
    """`database` may be absent only to read the application's own description."""
    routers = [
        services.router,
        services.templates,
        drafts.router,
        search.router,
        places.router,
        batches.router,
        requests.router,
        tickets.receipts,
        payments.bills,
        payments.notices,
        qris.router,
        qris.notices,
        evidence.types,
        evidence.router,
        evidence.consents,
        tickets.router,
        tickets.queue,
        complaints.router,
        performance.router,
        surveys.router,
        indices.router,
        measured.router,
        processing.router,
        maklumat.router,
        regulations.router,
        reference.router,
        calendar.router,
        datasets.drafts,
        datasets.router,
        datasets.reviews,
        exports.router,
        dcat.router,
        ckan.router,
        ckan.posted,
        apis.router,
        register.router,
        software.router,
    ]
    clock = clock or SystemClock()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        async with _evidence(app, settings, clock), _qris(app, settings, clock):
            yield

    streamed, gauges = requests.STREAMED, consumer.GAUGES
    member = Member(NAME, TITLE, routers, streamed=streamed, lifespan=lifespan, gauges=gauges)
    app = create_app(settings, member, database=database, clock=clock)
    app.state.kept_answers = KeptAnswers(clock, settings.public_answers_kept_seconds)
    return app


@asynccontextmanager
async def _evidence(app: FastAPI, settings: CatalogSettings, clock: Clock) -> AsyncGenerator[None]:
    """The bus for evidence, where a gateway is named."""
    if not settings.gateway_url:
        yield
        return
    bus = Bus(settings, clock)
    app.state.evidence = bus
    try:
        yield
    finally:
        await bus.aclose()


@asynccontextmanager
async def _qris(app: FastAPI, settings: CatalogSettings, clock: Clock) -> AsyncGenerator[None]:
    """The payment gateway for QRIS codes, where we are a merchant of it."""
    if not (settings.payments_url and settings.payments_merchant):
        yield
        return
    async with payments_client(settings) as client:
        app.state.payment_gateway = snap_gateway(settings, client, clock)
        yield
