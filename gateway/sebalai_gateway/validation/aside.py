"""Checks that could take long, beside the loop that calls are served in: one child a worker.

Bounded: CHECK_SECONDS a body, then the child is killed and another one started; WAITING_MAX bodies
of one contract at a time, so that nobody's body keeps those of others waiting for long.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from typing import Any

import orjson

CHECK_SECONDS = 1.0
START_SECONDS = 10.0
WAITING_MAX = 4
MODULE = "sebalai_gateway.validation.child"


class Crowded(Exception):
    """As many bodies of this contract wait as may."""


class Aside:
    def __init__(self, seconds: float = CHECK_SECONDS) -> None:
        self._seconds, self._turn = seconds, asyncio.Lock()
        self._waiting: Counter[str] = Counter()
        self._child: Process | None = None

    async def deviations(self, order: dict[str, Any], body: bytes) -> list[str]:
        """What the child finds; `order` as in `child`. Raises: Crowded."""
        name = str(order["file"])
        if self._waiting[name] >= WAITING_MAX:
            raise Crowded
        self._waiting[name] += 1
        try:
            async with self._turn:
                return await self._ask(order, body)
        finally:
            self._waiting[name] -= 1

    async def _ask(self, order: dict[str, Any], body: bytes) -> list[str]:
        is_over = False
        try:
            child = await self._living()
            if child.stdin is None or child.stdout is None:
                raise AssertionError
            child.stdin.write(orjson.dumps(order | {"length": len(body)}) + b"\n" + body)
            async with asyncio.timeout(START_SECONDS):
                await child.stdin.drain()
                await child.stdout.readline()
            async with asyncio.timeout(self._seconds):
                line = await child.stdout.readline()
            found: list[str] = orjson.loads(line)
            is_over = True
        except (TimeoutError, OSError, orjson.JSONDecodeError):
            return [f"{order['side']}.body: cannot be checked in {self._seconds:g} s"]
        finally:
            # Also of a call that was given up: what it asked must not answer the next one.
            if not is_over:
                await self.close()
        return found

    async def _living(self) -> Process:
        """Raises: OSError, TimeoutError."""
        if self._child is None or self._child.returncode is not None:
            self._child = await asyncio.create_subprocess_exec(
                sys.executable, "-I", "-m", MODULE, stdin=PIPE, stdout=PIPE, env={}
            )
            if self._child.stdout is not None:
                async with asyncio.timeout(START_SECONDS):
                    await self._child.stdout.readline()
        return self._child

    async def close(self) -> None:
        """Ends the child, whatever it is at."""
        child, self._child = self._child, None
        if child is not None and child.returncode is None:
            child.kill()
            await child.wait()
