"""Carries a change to NATS from the API itself, which thereby needs no worker to be heard."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator

from sebalai_shared.broker import Broker
from sebalai_shared.database import Database

from sebalai_exchange.routes import store
from sebalai_exchange.routes.actions import RouteCompiler
from sebalai_exchange.routes.jobs import RoutesPublisher
from sebalai_exchange.settings import ExchangeSettings

log = logging.getLogger(__name__)

TELL_SECONDS = 2.0
CONNECT_SECONDS = 1.0
# In which each gateway has asked: it does so a second after the last answer that it had.
ASKED_SECONDS = 1.5
LOOK_SECONDS = 1.0


class Teller:
    """`tell` is done when NATS has the present routes, or when each gateway has had the time to ask
    for them, which it does while NATS is away too.
    """

    def __init__(
        self, settings: ExchangeSettings, database: Database, compiler: RouteCompiler
    ) -> None:
        self._broker = Broker(settings)
        self._publisher = RoutesPublisher(database, self._broker, compiler)
        self._database, self._turn = database, asyncio.Lock()
        self._asked = 0  # the version that gateways have had the time to ask for

    async def tell(self) -> None:
        """Within TELL_SECONDS and LOOK_SECONDS. Raises what a database raises that is away, and
        TimeoutError for one that stands still.
        """
        began = time.monotonic()
        try:
            async with asyncio.timeout(TELL_SECONDS), self._turn:
                if self._broker.is_connected and await self._publisher.publish_once():
                    return
        except TimeoutError:
            pass
        log.warning("a change of routes waits for gateways to ask: NATS does not answer")
        await self._until_asked(began)

    async def _until_asked(self, began: float) -> None:
        """Since `began`, when the change was kept already. Who asks reads the database, so it must
        be there to the end of it.
        """
        version = await self._version()
        if version > self._asked:
            await asyncio.sleep(began + ASKED_SECONDS - time.monotonic())
            await self._version()
            self._asked = max(version, self._asked)

    async def _version(self) -> int:
        async with asyncio.timeout(LOOK_SECONDS), self._database.transaction() as session:
            return (await store.version(session)).version

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
