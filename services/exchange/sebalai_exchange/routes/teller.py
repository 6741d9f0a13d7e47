"""Carries a change to NATS from the API itself, which thereby needs no worker to be heard."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator

from sebalai_shared.broker import Broker
from sebalai_shared.database import Database

from sebalai_exchange.routes.actions import RouteCompiler
from sebalai_exchange.routes.jobs import RoutesPublisher
from sebalai_exchange.settings import ExchangeSettings

log = logging.getLogger(__name__)

TELL_SECONDS = 2.0
CONNECT_SECONDS = 1.0


class Teller:
    """`tell` is done when NATS has the present routes. While NATS is away it does nothing: gateways
    then hear of a change when they ask, each second.
    """

    def __init__(
        self, settings: ExchangeSettings, database: Database, compiler: RouteCompiler
    ) -> None:
        self._broker = Broker(settings)
        self._publisher = RoutesPublisher(database, self._broker, compiler)
        self._turn = asyncio.Lock()

    async def tell(self) -> None:
        """Within TELL_SECONDS or not at all. Raises what a database raises that is away."""
        try:
            async with asyncio.timeout(TELL_SECONDS), self._turn:
                if self._broker.is_connected and await self._publisher.publish_once():
                    return
        except TimeoutError:
            pass
        log.warning("a change of routes waits for gateways to ask: NATS does not answer")

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Serves after CONNECT_SECONDS at the latest, because exchange does so without NATS too."""
        connecting = asyncio.create_task(self._broker.connect())
        await asyncio.wait({connecting}, timeout=CONNECT_SECONDS)
        try:
            yield
        finally:
            connecting.cancel()
            await asyncio.wait({connecting})
            await self._broker.close()
