"""One event type of a room and who asks, as GovStack's routes are given it."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Path, Request
from sebalai_shared.caller import Caller, IdentifiedAccess
from sebalai_shared.clock import Clock
from sebalai_shared.database import Transaction
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_exchange.govstack import actions
from sebalai_exchange.govstack.provider import Provider
from sebalai_exchange.names import EVENT_TYPE_LENGTH_MAX
from sebalai_exchange.topics.actions import Topic

Name = Annotated[str, Path(min_length=1, max_length=EVENT_TYPE_LENGTH_MAX)]
Purpose = Annotated[str | None, Header(alias="Sebalai-Purpose", max_length=40)]


@dataclass(frozen=True)
class Spot:
    """One event type of a room, and who asks."""

    request: Request
    caller: Caller
    session: AsyncSession
    topic: Topic
    name: str

    @property
    def clock(self) -> Clock:
        return self.request.app.state.clock


async def _spot(
    request: Request, caller: IdentifiedAccess, session: Transaction, room: Provider, name: Name
) -> Spot:
    clock: Clock = request.app.state.clock
    topic = await actions.find_type(session, clock, caller=caller, place=(room, name))
    return Spot(request, caller, session, topic, name)


At = Annotated[Spot, Depends(_spot, scope="function")]
