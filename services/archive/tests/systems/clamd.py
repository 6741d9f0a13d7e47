"""A small stand-in of clamd: answers INSTREAM, finds the EICAR test text, has no signatures."""

import asyncio
import struct
from contextlib import asynccontextmanager

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


async def _answer(reader, writer):
    assert await reader.readuntil(b"\0") == b"zINSTREAM\0"
    content = bytearray()
    while size := struct.unpack(">I", await reader.readexactly(4))[0]:
        content += await reader.readexactly(size)
    found = EICAR in content
    writer.write(b"stream: Eicar-Test-Signature FOUND\0" if found else b"stream: OK\0")
    await writer.drain()
    writer.close()


@asynccontextmanager
async def clamd(socket):
    server = await asyncio.start_unix_server(_answer, socket)
    try:
        yield socket
    finally:
        server.close()
        await server.wait_closed()
