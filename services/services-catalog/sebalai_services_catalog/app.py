"""The HTTP side of the services catalogue: which slices answer, put together in one place."""

from fastapi import FastAPI
from sebalai_shared.app import Member, create_app
from sebalai_shared.clock import Clock
from sebalai_shared.database import Database

from sebalai_services_catalog.apis import api as apis
from sebalai_services_catalog.calendar import api as calendar
from sebalai_services_catalog.complaints import api as complaints
from sebalai_services_catalog.indices import api as indices
from sebalai_services_catalog.maklumat import api as maklumat
from sebalai_services_catalog.performance import api as performance
from sebalai_services_catalog.reference import api as reference
from sebalai_services_catalog.regulations import api as regulations
from sebalai_services_catalog.requests import api as requests
from sebalai_services_catalog.requests import payment_api as payments
from sebalai_services_catalog.requests import ticket_api as tickets
from sebalai_services_catalog.services import api as services
from sebalai_services_catalog.services import draft_api as drafts
from sebalai_services_catalog.services import search_api as search
from sebalai_services_catalog.settings import CatalogSettings
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
        requests.router,
        tickets.receipts,
        payments.bills,
        payments.notices,
        tickets.router,
        tickets.queue,
        complaints.router,
        performance.router,
        surveys.router,
        indices.router,
        maklumat.router,
        regulations.router,
        reference.router,
        calendar.router,
        apis.router,
    ]
    member = Member(NAME, TITLE, routers, streamed=requests.STREAMED)
    return create_app(settings, member, database=database, clock=clock)
