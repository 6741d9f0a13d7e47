"""GovStack's Information Mediator, spoken before the bus: its paths become ours, nothing else.

Which paths and why stands in docs/protocols/govstack.md. Who calls, what is allowed, the journal
and the receipts are the gateway's own, and so is every refusal. Does not own the shapes of
discovery and of rooms: exchange answers those.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.types import Receive, Scope, Send

from sebalai_gateway.app import OWN

PROVIDER_SEGMENTS = 4
_AT_EXCHANGE = b"/api/exchange/govstack/"
_CLIENTS = [b"listClients"]
_METASERVICES = ([b"listMethods"], [b"allowedMethods"], [b"getOpenAPI"])
# What its definition keeps for rooms below an application, each with what follows it.
_ROOMS = (
    [b"api", b"v1", b"eventType"],
    [b"api", b"v1", b"subs"],
    [b"pub", b"v1"],
    [b"pull", b"v1"],
)


class GovStack:
    """An ASGI application before another: the gateway."""

    def __init__(self, bus: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        self._bus = bus

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in OWN:
            raw_path = translated(scope["raw_path"])
            # Not decoded: what the gateway takes for a name of its own must be spelled plainly.
            scope = {**scope, "raw_path": raw_path, "path": raw_path.decode("latin-1")}
        await self._bus(scope, receive, send)


def translated(raw_path: bytes) -> bytes:
    """The gateway's path for one of GovStack's; what is none of them is a call, and refused so.

    Nothing is decoded here: a keyword that is not spelled plainly is no keyword.
    """
    # Its definition begins with the version of the protocol, its tests without.
    rest = raw_path.removeprefix(b"/r1")[1:] if raw_path.startswith(b"/r1/") else raw_path[1:]
    segments = rest.split(b"/")
    asked = segments[PROVIDER_SEGMENTS:]
    if segments == _CLIENTS or asked in _METASERVICES or _is_of_a_room(asked):
        return _AT_EXCHANGE + rest
    return b"/r1/" + rest


def _is_of_a_room(asked: list[bytes]) -> bool:
    return any(asked[: len(beginning)] == beginning for beginning in _ROOMS)
