"""The consumer that keeps the API catalogue current."""

from nats.aio.msg import Msg
from sebalai_shared.consumer import Feed
from sebalai_shared.events import decode
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.apis import actions, events

FEED = Feed(stream="EVENTS", durable="catalog-interfaces", subjects=events.SUBJECTS)


async def on_interface(session: AsyncSession, message: Msg) -> None:
    await actions.take_interface(session, event=decode(message.data))
