"""A subscriber's webhook address, as other people's systems are: good, slow, broken or hostile.

A stand-in for an outside system. Paths choose the behaviour; what arrived is kept in memory and,
started as a program, written to a file line by line (`receiver.py PORT FILE`).
"""

import asyncio
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Self

SLOW_SECONDS = 1.0


class Receiver:
    """`async with Receiver() as receiver`: `receiver.url("/good/a")`, `receiver.got["/good/a"]`."""

    def __init__(self, port: int = 0, note: Callable[[str, dict], None] | None = None) -> None:
        self._port, self._note = port, note
        self.got: dict[str, list[dict]] = defaultdict(list)
        self.handshakes: list[dict] = []
        self.fails: Callable[[str, dict], int] = lambda _path, _event: 0
        self.agreed_origin, self.silent = "*", False
        self.endless_bytes = 0
        self.holds: Callable[[str], bool] = lambda path: path.startswith("/held/")
        self.held, self.release = 0, asyncio.Event()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", self._port, backlog=2048
        )
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self._port}{path}"

    def ids(self, path: str) -> list[str]:
        return [one["id"] for one in self.got[path]]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        line = await reader.readline()
        if not line:
            return False
        method, path, _ = line.decode().split(" ", 2)
        headers = {}
        while (line := await reader.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode().partition(":")
            headers[name.strip().lower()] = value.strip()
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        if method == "OPTIONS":
            self.handshakes.append(headers)
            if self.silent:
                await self.release.wait()
            answer = f"HTTP/1.1 200 OK\r\nWebHook-Allowed-Origin: {self.agreed_origin}\r\n"
            writer.write((answer + "Content-Length: 0\r\n\r\n").encode())
            return True
        return await self._post(path, headers, body, writer)

    async def _post(
        self, path: str, headers: dict, body: bytes, writer: asyncio.StreamWriter
    ) -> bool:
        event = json.loads(body)
        kind = path.split("/")[1]
        if kind == "slow":
            await asyncio.sleep(SLOW_SECONDS)
        if self.holds(path):
            self.held += 1
            await self.release.wait()
        status = {"broken": 500, "moved": 302, "gone": 410}.get(kind) or self.fails(path, event)
        if not status:
            self.got[path].append(event | {"_headers": headers, "_body": body, "_at": time.time()})
            if self._note is not None:
                self._note(path, event)
        if kind == "endless":
            return await self._endless(writer)
        head = f"HTTP/1.1 {status or 204} x\r\nContent-Length: 0\r\n"
        if kind == "moved":
            head += f"Location: {self.url('/good/moved')}\r\n"
        writer.write(head.encode() + b"\r\n")
        await writer.drain()
        return True

    async def _endless(self, writer: asyncio.StreamWriter) -> bool:
        """Ten gigabytes, if anybody will read them."""
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n")
        while self.endless_bytes < 10 * 1024**3:
            writer.write(b"x" * 65536)
            self.endless_bytes += 65536
            await writer.drain()
        return False


async def main(port: int, path: Path) -> None:
    with path.open("a", buffering=1, encoding="utf-8") as file:

        def note(where: str, event: dict) -> None:
            file.write(
                json.dumps([where, event["id"], event.get("subject"), event["position"]]) + "\n"
            )

        async with Receiver(port, note):
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
