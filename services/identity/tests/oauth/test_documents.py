"""Documents that clients name by address, read while somebody's host hangs."""

import asyncio

import pytest
from sebalai_identity.oauth.client_documents import AT_ONCE, ClientDocuments, DocumentsBusy
from sebalai_shared.addresses import Reach


async def test_who_comes_while_hosts_hang_is_sent_away_at_once_and_holds_nothing():
    arrived, goes_on = asyncio.Semaphore(0), asyncio.Event()

    async def hang(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        arrived.release()
        await goes_on.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        writer.close()

    documents = ClientDocuments(Reach.parse(["127.0.0.0/8"]))
    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/jwks"
        readers = [asyncio.create_task(documents.read(url)) for _ in range(AT_ONCE)]
        for _ in range(AT_ONCE):
            await arrived.acquire()
        with pytest.raises(DocumentsBusy):
            await documents.read(url)
        goes_on.set()
        assert await asyncio.gather(*readers) == [{}] * AT_ONCE
        assert await documents.read(url) == {}
    await documents.close()
