"""Receipts of calls, fetched and checked behind them; a call never waits for its receipt."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path

from sebalai_shared import http

from sebalai_local.connect.bus import Bus
from sebalai_local.connect.plain import Trouble

log = logging.getLogger(__name__)

WAITING_MAX = 1_000
TRIES, WAIT_SECONDS = 40, 0.5
VERIFY_SECONDS = 30.0


class Receipts:
    """`counts` of what was verified, failed, and left out because too many waited."""

    def __init__(self, bus: Bus, ledger_key: Path | None) -> None:
        self._bus, self._key = bus, ledger_key
        self._waiting: asyncio.Queue[str] = asyncio.Queue(WAITING_MAX)
        self.counts = {"verified": 0, "failed": 0, "left_out": 0}

    def want(self, message_id: str) -> None:
        try:
            self._waiting.put_nowait(message_id)
        except asyncio.QueueFull:
            self.counts["left_out"] += 1

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            number = await self._waiting.get()
            try:
                why = await self._verify(number)
            except (Trouble, http.Error, OSError, TimeoutError) as error:
                why = getattr(error, "detail", "") or repr(error)
            self.counts["failed" if why else "verified"] += 1
            if why:
                log.error("the receipt of call %s does not hold: %s", number, why)

    async def _verify(self, number: str) -> str:
        """Why the receipt does not hold; empty when it does."""
        for _ in range(TRIES):
            answer = await self._bus.receipt(number)
            if answer.status_code == 200:
                return await self._judge(answer.content)
            await asyncio.sleep(WAIT_SECONDS)
        return f"not given: {answer.status_code}"  # pyright: ignore[reportPossiblyUnboundVariable]

    async def _judge(self, receipt: bytes) -> str:
        command = [str(Path(sys.executable).with_name("sebalai-verify")), "-"]
        command += ["--key", str(self._key)]
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(VERIFY_SECONDS):
            _, told = await process.communicate(receipt)
        return told.decode(errors="replace").strip() if process.returncode else ""
