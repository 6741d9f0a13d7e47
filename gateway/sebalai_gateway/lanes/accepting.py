"""How fast new connections are let in. uvloop takes one for each turn of its loop, and a turn of a
busy gateway lasts for dozens of calls: of a thousand consumers who came at once most waited at the
door, while those inside were served again and again.

Does not own what becomes of a connection (`bounded`, `fast`).
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from typing import Any

import uvloop

# A turn of the loop lets in as many; who opens a connection for each call pays for empty looks.
CONNECTIONS_A_TURN = 64


class Doors:
    """Several looks at one listening socket, closed together."""

    def __init__(self, servers: Sequence[Any]) -> None:
        self._servers = servers
        self.sockets = servers[0].sockets

    def close(self) -> None:
        for server in self._servers:
            server.close()

    async def wait_closed(self) -> None:
        for server in self._servers:
            await server.wait_closed()


class Loop(uvloop.Loop):
    """uvloop's, with more than one look at each socket that is listened on."""

    async def create_server(self, *given: Any, **named: Any) -> Any:  # type: ignore[override]
        servers: list[Any] = [await super().create_server(*given, **named)]
        again = {name: value for name, value in named.items() if name not in _WHERE}
        for listening in tuple(servers[0].sockets):
            for _ in range(CONNECTIONS_A_TURN - 1):
                same = socket.socket(fileno=os.dup(listening.fileno()))
                servers.append(await super().create_server(given[0], sock=same, **again))
        return Doors(servers)


_WHERE = frozenset({"host", "port", "sock", "family", "flags", "reuse_address", "reuse_port"})
