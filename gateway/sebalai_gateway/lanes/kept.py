"""A connection that is kept: its requests are served one after the other by one task, and one timer
watches it while it asks nothing. uvicorn makes a task and a timer for each request, which together
cost as much as the decision on a call.

Does not own how requests are read (`bounded`), nor what serves them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class _Flow(FlowControl):
    """Reads nothing more while requests wait for their turn: each that is answered would let in a
    buffer full of others.
    """

    def __init__(self, transport: asyncio.Transport, waiting: deque[Any]) -> None:
        super().__init__(transport)
        self._waiting = waiting

    def resume_reading(self) -> None:
        if not self._waiting:
            super().resume_reading()


class KeptProtocol(HttpToolsProtocol):
    """Stands for what uvicorn does between two requests of a connection."""

    # uvicorn's, or another lane's with what uvicorn asks of it; None before the first request.
    cycle: Any
    pipeline: deque[Any]
    _is_in_head = False
    _idle_since = 0.0
    _watch: asyncio.TimerHandle | None = None
    _next: tuple[Any, Any] | None = None
    _answered: Any = None
    _served: asyncio.Task[None] | None = None
    _rest: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.flow = _Flow(transport, self.pipeline)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._watch is not None:
            self._watch.cancel()
        super().connection_lost(exc)
        # uvicorn tells the newest request; what is being answered may stand before it.
        if self._answered is not None and not self._answered.response_complete:
            self._answered.disconnected = True
            self._answered.message_event.set()
        self._go_on()

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        """Called by uvicorn for each request that may begin."""
        self._next = cycle, app
        if self._served is None:
            self._served = self.loop.create_task(self._serve())
            self.tasks.add(self._served)
            self._served.add_done_callback(self.tasks.discard)
        else:
            self._go_on()

    def _go_on(self) -> None:
        if self._rest is not None and not self._rest.done():
            self._rest.set_result(None)

    async def _serve(self) -> None:
        """Until nothing can come any more."""
        try:
            while self._next is not None:
                (self._answered, app), self._next = self._next, None
                await self._answered.run_asgi(app)
                if self._next is None and not self.transport.is_closing():
                    self._rest = self.loop.create_future()
                    await self._rest
        finally:
            self._served = None

    def on_response_complete(self) -> None:
        """As uvicorn's, but that it arms and disarms a timer for each request."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        following = self.pipeline.pop() if self.pipeline else None
        self.flow.resume_reading()
        if following is not None:
            self._start_asgi_task(*following)
            return
        self._idle_since = self.loop.time()
        if self._watch is None:
            self._watch = self.loop.call_later(self.timeout_keep_alive, self._look)

    def _look(self) -> None:
        """Closes the connection when it has waited for its next request for long enough."""
        is_idle = self.cycle.response_complete and not self._is_in_head
        waited = self.loop.time() - self._idle_since if is_idle else 0.0
        if waited < self.timeout_keep_alive:
            self._watch = self.loop.call_later(self.timeout_keep_alive - waited, self._look)
        else:
            self.timeout_keep_alive_handler()
