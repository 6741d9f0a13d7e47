"""The proxy that ends TLS before the gateway, for tests: nginx by the file that operators copy, and
a stand-in where it is not installed; never for the world.

It asks for a client certificate without insisting, and tells the gateway which one was proven
(RFC 9440).
"""

import asyncio
import base64
import contextlib
import shutil
import socket
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

OURS = ("client-cert", "sebalai-proxy", "x-forwarded-for", "connection")
CONF = Path(__file__).parents[3] / "deploy/proxy/nginx.conf"
SECONDS = 20


def has_nginx():
    return shutil.which("nginx") is not None


@dataclass
class Nginx:
    """`folder`: its files, which a server that is no longer root can read; `certificate`: a PEM file
    with key.
    """

    folder: Path
    upstream_port: int
    secret: str
    certificate: str

    @contextlib.asynccontextmanager
    async def serving(self, port=0):
        """A context; gives the port where it asks for certificates."""
        with (
            socket.create_server(("127.0.0.1", port)) as one,
            socket.create_server(("127.0.0.1", 0)) as two,
        ):
            port, plain = (each.getsockname()[1] for each in (one, two))
        process = subprocess.Popen(["nginx", "-p", self.folder, "-c", self._conf(port, plain)])
        try:
            async with asyncio.timeout(SECONDS):
                while not await _answers(port):
                    assert process.poll() is None, (self.folder / "error.log").read_text()
                    await asyncio.sleep(0.05)
            yield port
        finally:
            process.terminate()
            process.wait(SECONDS)

    def _conf(self, port, plain):
        own = self.folder / "sebalai-proxy.conf"
        own.write_text(f'proxy_set_header Sebalai-Proxy "{self.secret}";')
        text, folder = CONF.read_text(), self.folder
        for old, new in [
            ("127.0.0.1:8800", f"127.0.0.1:{self.upstream_port}"), ("PUBLIC_HOST", "localhost"),
            ("listen 443", f"listen 127.0.0.1:{plain}"), ("listen 8443", f"listen 127.0.0.1:{port}"),
            ("/etc/sebalai/tls.pem", self.certificate), ("/etc/sebalai/tls.key", self.certificate),
            ("events {}", f"events {{}}\ndaemon off;\npid {folder}/nginx.pid;\nerror_log {folder}/error.log;"),
        ]:  # fmt: skip
            assert old in text
            text = text.replace(old, new)
        (folder / "nginx.conf").write_text(text)
        return folder / "nginx.conf"


async def _answers(port):
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


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
    async def serving(self, port=0):
        """A context; gives the port."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", port, ssl=self._context())
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
