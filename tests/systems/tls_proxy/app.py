"""A stand-in for the proxy that ends TLS before the gateway, for tests; never for the world.

It asks for a client certificate without insisting, and tells the gateway which one was proven
(RFC 9440).
"""

import asyncio
import base64
import contextlib
import ssl
from dataclasses import dataclass

OURS = ("client-cert", "sebalai-proxy", "x-forwarded-for", "connection")


@dataclass
class Proxy:
    """`certificate`: a PEM file with key; `trusted`: PEM file of the client certificates it lets
    through, because Python's TLS can ask for none it does not know.
    """

    upstream_port: int
    secret: str
    certificate: str
    trusted: str

    @contextlib.asynccontextmanager
    async def serving(self):
        """A context; gives the port."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context())
        async with server:
            yield server.sockets[0].getsockname()[1]

    def _context(self):
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(self.certificate)
        made.load_verify_locations(self.trusted)
        made.verify_mode = ssl.CERT_OPTIONAL
        made.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        return made

    async def _serve(self, reader, writer):
        with contextlib.suppress(asyncio.IncompleteReadError, OSError), contextlib.closing(writer):
            head = await reader.readuntil(b"\r\n\r\n")
            back, forth = await asyncio.open_connection("127.0.0.1", self.upstream_port)
            with contextlib.closing(forth):
                forth.write(self._head(head, writer))
                sending = asyncio.create_task(_pump(reader, forth))
                await _pump(back, writer)
                sending.cancel()

    def _head(self, came, writer):
        """What the client sent, without what is ours to say, and what we say."""
        first, *lines = came.decode("latin-1").rstrip("\r\n").split("\r\n")
        kept = [line for line in lines if line.partition(":")[0].lower() not in OURS]
        peer = writer.get_extra_info("peername")[0]
        said = [f"Sebalai-Proxy: {self.secret}", f"X-Forwarded-For: {peer}"]
        der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        if der:
            said.append(f"Client-Cert: :{base64.b64encode(der).decode()}:")
        return "\r\n".join([first, *kept, *said, "Connection: close", "", ""]).encode("latin-1")


async def _pump(reader, writer):
    while chunk := await reader.read(65_536):
        writer.write(chunk)
        await writer.drain()
