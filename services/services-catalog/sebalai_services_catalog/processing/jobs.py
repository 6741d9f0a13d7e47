"""What keeps the register's agreements current: exchange's facts as they come."""

from nats.aio.msg import Msg
from sebalai_shared.consumer import Feed
from sebalai_shared.events import decode
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.processing import actions, events

FEED = Feed(stream="EVENTS", durable="catalog-agreements", subjects=events.SUBJECTS)


async def on_agreement(session: AsyncSession, message: Msg) -> None:
    await actions.take_agreement(session, event=decode(message.data))
