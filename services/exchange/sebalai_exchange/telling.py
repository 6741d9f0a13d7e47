"""A change of what is routed is told before it is answered (ADR 0034).

Who suspends an agreement and reads 200 may rely on it: the word stands at the broker, whatever
happens to exchange or its database from then on.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable

from fastapi import Depends, Request
from sebalai_shared.database import FAILURES
from sebalai_shared.problems import Unavailable

CHANGES = frozenset({"POST", "PUT", "PATCH", "DELETE"})


async def _tell(request: Request) -> AsyncGenerator[None]:
    """Entered before the route's transaction, so it ends after the commit. Raises: Unavailable."""
    yield
    tell: Callable[[], Awaitable[None]] | None = request.app.state.tell
    if tell is None or request.method not in CHANGES:
        return
    try:
        await tell()
    except (*FAILURES, TimeoutError) as error:
        detail = "The change is kept, but the gateways were not told of it yet. They will be when"
        raise Unavailable(f"{detail} the database is back; read it again in 2 s.") from error


Told = Depends(_tell, scope="function")
"""For a router whose routes change what is routed."""
