import asyncio
from pathlib import Path

import sebalai_services_catalog
from sebalai_services_catalog.apis.actions import list_interfaces
from sebalai_services_catalog.settings import CatalogSettings
from sebalai_services_catalog.worker import work
from sebalai_shared.broker import EVENTS, Broker, Sending
from sebalai_shared.caller import ANONYMOUS
from sebalai_shared.database import Database
from sebalai_shared.events import Event
from sebalai_shared.ids import uuid7
from sebalai_shared.testing.database import fresh_database

WAIT_SECONDS = 20.0
PACKAGE = Path(sebalai_services_catalog.__file__).parent


def fact(interface_id, at):
    data = {
        "interface_id": str(interface_id),
        "interface": f"ID-BB/GOV/dp3acskb/kependudukan/i-{interface_id.hex[-6:]}",
        "agency": "dp3acskb",
        "contract_sha256": "a" * 64,
    }
    return Event("exchange.interface.published.v1", "urn:sebalai:exchange", "x", data, at)


async def send(broker, event):
    await broker.publish(Sending(event.nats_subject, str(event.id), event.encode(), {}))


async def test_an_interface_published_on_the_bus_reaches_the_catalogue_past_a_poisoned_fact(
    postgres_admin_url, nats_url, nats_token, clock
):
    url = await fresh_database(postgres_admin_url, "catalog_worker", PACKAGE)
    settings = CatalogSettings(database_url=url, nats_url=nats_url, nats_token=nats_token)
    database, broker, wanted = Database(settings), Broker(settings), uuid7()
    await broker.connect()
    await broker.ensure_stream(EVENTS)
    broken = Event("exchange.interface.published.v1", "urn:x", "x", {}, clock.now())
    await send(broker, broken)
    await send(broker, fact(wanted, clock.now()))
    working = asyncio.create_task(work(settings))

    async def known():
        async with database.transaction() as session:
            return {i.id for i in await list_interfaces(session, caller=ANONYMOUS)}

    try:
        async with asyncio.timeout(WAIT_SECONDS):
            while str(wanted) not in await known():
                await asyncio.sleep(0.05)
    finally:
        working.cancel()
        await asyncio.wait([working])
        await broker.close()
        await database.close()
