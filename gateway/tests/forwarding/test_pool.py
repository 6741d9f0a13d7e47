"""Connections to one provider: never more than the limit, and who waits longest is served first."""

import asyncio
import contextlib

import pytest
from sebalai_gateway.forwarding import pool as pools
from sebalai_gateway.forwarding.pool import Peer, Pool, origin_of
from sebalai_shared.addresses import Reach


async def silent(reader, writer):
    """A provider that says nothing until it is left."""
    with contextlib.suppress(ConnectionError):
        await reader.read()
    writer.close()


@pytest.fixture
async def pool(monkeypatch, peer):
    monkeypatch.setattr(pools, "CONNECTIONS_A_HOST", 1)
    made = Pool(Reach.parse(["127.0.0.1"]))
    yield made
    await made.close()
    await asyncio.sleep(0.05)


@pytest.fixture
async def peer():
    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    yield Peer(origin_of(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"))
    server.close()


class Calls:
    """Calls that each hold a connection for a moment; `served` is their order."""

    def __init__(self, pool, peer):
        self.pool, self.peer, self.served = pool, peer, []

    async def exchange(self, name, *, is_broken=False):
        connection = await self.pool.take(self.peer, 5, is_safe=True)
        self.served.append(name)
        connection.begin(b"GET / HTTP/1.1\r\n\r\n", is_head_answer=False, read_seconds=5)
        if not is_broken:
            connection.data_received(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        await asyncio.sleep(0)
        connection.give_back()


@pytest.fixture
def calls(pool, peer):
    return Calls(pool, peer)


@pytest.mark.parametrize("is_broken", [False, True], ids=["kept", "cut"])
async def test_who_comes_while_a_connection_is_given_back_waits_behind_who_waited(calls, is_broken):
    first = await calls.pool.take(calls.peer, 5, is_safe=True)
    waiting = [asyncio.create_task(calls.exchange(n, is_broken=is_broken)) for n in range(3)]
    await asyncio.sleep(0.05)
    first.begin(b"GET / HTTP/1.1\r\n\r\n", is_head_answer=False, read_seconds=5)
    first.data_received(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
    first.give_back()
    # In the very turn of the loop in which the first of those who wait is told.
    await calls.exchange("late")
    await asyncio.gather(*waiting)
    assert calls.served == [0, 1, 2, "late"]


async def test_connection_handed_to_one_who_has_just_gone_serves_the_next(calls):
    first = await calls.pool.take(calls.peer, 5, is_safe=True)
    gone, waits = (asyncio.create_task(calls.exchange(n)) for n in ("gone", "waits"))
    await asyncio.sleep(0.05)
    first.begin(b"GET / HTTP/1.1\r\n\r\n", is_head_answer=False, read_seconds=5)
    first.data_received(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
    first.give_back()
    gone.cancel()
    await asyncio.wait([gone, waits])
    assert calls.served == ["waits"]
    assert calls.pool.counts == (0, 1)


async def test_sweep_does_not_forget_whose_turn_has_just_come(calls):
    first = await calls.pool.take(calls.peer, 5, is_safe=True)
    waits = asyncio.create_task(calls.pool.take(calls.peer, 5, is_safe=True))
    await asyncio.sleep(0.05)
    first.abort()
    first.give_back()
    calls.pool._swept()
    await waits
    assert calls.pool.counts == (1, 0)
