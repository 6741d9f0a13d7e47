"""The HTTP side of the archive: which slices answer, put together in one place."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from sebalai_shared.app import Member, create_app
from sebalai_shared.clock import Clock
from sebalai_shared.database import Database

from sebalai_archive import backups
from sebalai_archive.classifications import api as classifications
from sebalai_archive.disposals import api as disposals
from sebalai_archive.fixity import api as fixity
from sebalai_archive.fixity.jobs import measuring
from sebalai_archive.harvest import api as harvest
from sebalai_archive.holds import api as holds
from sebalai_archive.incoming import api as incoming
from sebalai_archive.incoming import dispositions_api as dispositions
from sebalai_archive.letters import api as letters
from sebalai_archive.lists import api as lists
from sebalai_archive.national import api as national
from sebalai_archive.numbering import api as numbering
from sebalai_archive.outgoing import api as outgoing
from sebalai_archive.packages import api as packages
from sebalai_archive.partials import Partials
from sebalai_archive.records import api as records
from sebalai_archive.records import content_api, keeping_api
from sebalai_archive.records.together import Together
from sebalai_archive.retention import api as retention
from sebalai_archive.search import api as search
from sebalai_archive.settings import ArchiveSettings
from sebalai_archive.signatures import api as signatures
from sebalai_archive.signing.choosing import signer_of
from sebalai_archive.signing.outside import outside_client
from sebalai_archive.signing.reporter import Reporter
from sebalai_archive.standing import api as standing
from sebalai_archive.storing import content_store_of
from sebalai_archive.uploads import api as uploads

NAME = "archive"
TITLE = "Sebalai archive: records with content, classification and retention"
STREAMED = ("/v1/records/*/content", "/v1/uploads/*", "/v1/packages")


def archive_app(
    settings: ArchiveSettings, database: Database | None = None, clock: Clock | None = None
) -> FastAPI:
    """`database` may be absent only to read the application's own description."""
    routers = [
        content_api.router,  # what is asked for most comes first: routers are asked in turn
        records.router,
        classifications.router,
        retention.router,
        letters.router,
        numbering.router,
        outgoing.router,
        incoming.router,
        dispositions.router,
        keeping_api.router,
        uploads.router,
        standing.router,
        holds.router,
        disposals.router,
        search.router,
        fixity.router,
        signatures.router,
        harvest.router,
        packages.router,
        lists.router,
        national.router,
    ]
    store = content_store_of(settings)
    member = Member(
        NAME, TITLE, routers, checks={"content": store.check}, streamed=STREAMED,
        lifespan=_serving, gauges=backups.GAUGES,
    )  # fmt: skip
    app = create_app(settings, member, database=database, clock=clock)
    app.state.content = store
    app.state.lists = asyncio.Semaphore(lists.AT_ONCE)
    if database is not None:
        app.state.together = Together(database, store, app.state.clock)
    app.state.partials = Partials(settings.content_dir)
    app.state.outside = outside_client(settings)
    app.state.reporter = Reporter(store, settings, app.state.clock)
    app.state.signer = signer_of(settings, app.state.outside)
    return app


@asynccontextmanager
async def _serving(app: FastAPI) -> AsyncGenerator[None]:
    async with measuring(app):
        yield
    await app.state.outside.aclose()
