"""Our identity as a process on a database of its own, for the tests and for `mutate.py`."""

import asyncio
import base64
import json
import os
import secrets
import socket
import subprocess
import sys
from pathlib import Path

from oidc_checks.party import Provider

HERE = Path(__file__).parents[1]
ROOT = HERE.parents[1]
START_SECONDS, STOP_SECONDS = 600, 60


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Bell:
    """Clients' own server: is told of sign-outs and keeps the bodies, gives out the `documents`."""

    def __init__(self):
        self.heard, self.documents, self.address, self._server = [], {}, "", None

    async def open(self, port=0):
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", port)
        self.address = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self.address

    async def _answer(self, reader, writer):
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        except asyncio.IncompleteReadError:
            writer.close()
            return
        if head.startswith("get "):
            await self._give(head.split(" ", 2)[1], writer)
            return
        length = int(head.split("content-length:")[1].split("\r\n")[0])
        self.heard.append((head, (await reader.readexactly(length)).decode()))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async def _give(self, path, writer):
        body = json.dumps(self.documents[path]).encode() if path in self.documents else b""
        status = "200 OK" if body else "404 Not Found"
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        writer.write(f"{head}\r\nConnection: close\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()

    async def close(self):
        self._server.close()
        await self._server.wait_closed()


class House:
    """`folder`: its files; `package`: another folder to take sebalai_identity from."""

    def __init__(self, folder, database_url, bell):
        self.folder, self.port, self._process = Path(folder), free_port(), None
        self.database_url = database_url
        self.facts, self.clock = self.folder / "facts.json", self.folder / "clock"
        sealing = self.folder / "sealing.key"
        sealing.write_text(base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("="))
        self.clock.write_text("0")
        own = {n: v for n, v in os.environ.items() if not n.startswith("SEBALAI_")}
        self._environment = own | {
            "SEBALAI_DATABASE_URL": database_url,
            "SEBALAI_PORT": str(self.port),
            "SEBALAI_PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            "SEBALAI_SEALING_KEY_FILE": str(sealing),
            "SEBALAI_REFERENCE_DIR": str(ROOT / "deploy/reference"),
            "SEBALAI_PRIVATE_CLIENTS": "127.0.0.0/8",
            "CONFORMANCE_CLOCK": str(self.clock),
            "CONFORMANCE_FACTS": str(self.facts),
            "CONFORMANCE_BELL": bell,
        }

    @property
    def log(self):
        return self.folder / "identity.log"

    async def start(self, package=None):
        """Raises RuntimeError when it ends before it answers."""
        environment = dict(self._environment)
        if package is not None:
            environment["PYTHONPATH"] = str(package)
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, str(HERE / "serve.py")],
                env=environment, cwd=ROOT, stdout=output, stderr=output,
            )  # fmt: skip
        async with asyncio.timeout(START_SECONDS):
            while not await self._answers():
                if self._process.poll() is not None:
                    raise RuntimeError(self.log.read_text()[-2000:])
                await asyncio.sleep(0.05)

    async def _answers(self):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        return True

    def stop(self):
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(STOP_SECONDS)

    async def provider(self):
        """A fresh view of it; the clock goes on from where it was moved to."""
        op = Provider(json.loads(self.facts.read_text()), self._shift)
        op.ahead = int(self.clock.read_text())
        await op.discover()
        return op

    def _shift(self, ahead):
        fresh = self.clock.with_suffix(".new")
        fresh.write_text(str(ahead))
        fresh.replace(self.clock)
