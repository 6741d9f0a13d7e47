"""The platform's own facts, taken from the stream into the event store."""

import orjson
from nats.aio.msg import Msg
from sebalai_shared.clock import SystemClock
from sebalai_shared.consumer import Feed
from sebalai_shared.events import decode
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_exchange.publishing.actions import take_fact
from sebalai_exchange.topics.actions import PLATFORM_OWNERS

FACTS = Feed("EVENTS", "exchange-events", [f"sebalai.{owner}.>" for owner in PLATFORM_OWNERS])


async def on_fact(session: AsyncSession, message: Msg) -> None:
    decode(message.data)
    await take_fact(session, SystemClock(), document=orjson.loads(message.data))
