"""What keeps the API catalogue current: exchange's facts as they come, its lists each minute."""

import logging

from nats.aio.msg import Msg
from sebalai_shared import http
from sebalai_shared.consumer import Feed
from sebalai_shared.database import Database
from sebalai_shared.events import decode
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.apis import actions, events
from sebalai_services_catalog.apis.register import read_register

log = logging.getLogger(__name__)

REGISTER_SECONDS = 60.0
FEED = Feed(stream="EVENTS", durable="catalog-interfaces", subjects=events.SUBJECTS)


async def on_interface(session: AsyncSession, message: Msg) -> None:
    await actions.take_interface(session, event=decode(message.data))


async def refresh_register(database: Database, client: http.Client) -> None:
    """A pass of the worker; while exchange cannot be read, the list stays as it was."""
    try:
        await keep_register(database, client)
    except http.Error as error:
        log.warning("exchange's lists are not read now: %r", error)


async def keep_register(database: Database, client: http.Client) -> None:
    """Raises: http.Error, ValueError, ListIncomplete; then the list stays as it was."""
    rows = await read_register(client)
    async with database.transaction() as session:
        await actions.keep_register(session, rows=rows)
