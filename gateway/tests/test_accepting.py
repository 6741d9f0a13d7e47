"""A busy loop lets many in at a turn, and none once its server is closed."""

import asyncio
import contextlib
import socket

import pytest
from sebalai_gateway.lanes.accepting import CONNECTIONS_A_TURN, Loop

CALLERS = 400


@pytest.fixture
def listening():
    made = socket.create_server(("127.0.0.1", 0), backlog=CALLERS)
    yield made
    made.close()


@pytest.fixture
def callers(listening):
    """Connections that came at once, while nobody looked."""
    with contextlib.ExitStack() as stack:
        yield [
            stack.enter_context(socket.create_connection(listening.getsockname()))
            for _ in range(CALLERS)
        ]


async def turns_until_all_are_in(listening):
    transports = []

    class Inside(asyncio.Protocol):
        def connection_made(self, transport):
            transports.append(transport)

    loop, turns = asyncio.get_running_loop(), 0
    server = await loop.create_server(Inside, sock=listening, backlog=CALLERS)
    while len(transports) < CALLERS:
        await asyncio.sleep(0)
        turns += 1
    for transport in transports:
        transport.abort()
    server.close()
    await server.wait_closed()
    return turns


@pytest.mark.usefixtures("callers")
def test_many_who_came_at_once_are_in_after_a_few_turns(listening):
    with asyncio.Runner(loop_factory=Loop) as runner:
        turns = runner.run(turns_until_all_are_in(listening))
    assert turns <= CALLERS / CONNECTIONS_A_TURN + 10


def test_closed_server_lets_nobody_in():
    async def closed():
        loop = asyncio.get_running_loop()
        server = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()
        server.close()
        await server.wait_closed()
        with pytest.raises(ConnectionRefusedError):
            await loop.create_connection(asyncio.Protocol, *address)

    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(closed())
