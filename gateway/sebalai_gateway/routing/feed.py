"""One snapshot kept fresh two ways: NATS KV tells at once, an HTTP poll asks each second.

A copy is taken from NATS only if it proves itself (routes are signed under pinned keys). Token keys
prove nothing about themselves, so for them NATS only rings and identity is asked.

Either way alone is enough. The last good copy lies on disk, so that a gateway starts with the
whole control plane down. What a copy means is its `take` function's business.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import io
import logging
import math
import os
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import orjson
from nats.aio.msg import Msg
from sebalai_shared import http
from sebalai_shared.broker import ApiError, Broker, BrokerUnavailable

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
SNAPSHOT_BYTES_LIMIT = 256 * 1024 * 1024
BUCKET = "SNAPSHOTS"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a snapshot comes from: KV key, member's internal path, and the file that keeps it.
    Only a copy that `proves_itself` is read from NATS, where any member can write; one that is
    not `is_kept` is its taker's to keep.
    """

    key: str
    path: str
    file: Path
    proves_itself: bool
    is_kept: bool = True


class Feed:
    """`take` reads a copy and answers its version, or None when it is not newer; it raises
    ValueError on a copy that is not genuine. `headers` are the gateway's own assertion.
    """

    def __init__(
        self,
        origin: Origin,
        client: http.Client,
        headers: Callable[[], dict[str, str]],
        take: Callable[[bytes], int | None],
    ) -> None:
        self._origin, self._client, self._headers, self._take = origin, client, headers, take
        self._ask = asyncio.Event()
        self._state = ""
        self.version = -1
        self.heard_at = time.monotonic()
        # When the last poll that was answered began: what it told is no older than that.
        self.asked_at = -math.inf

    @property
    def age(self) -> float:
        """Seconds since either way last answered, or since the start."""
        return time.monotonic() - self.heard_at

    def load(self) -> None:
        """The copy on disk, if there is a good one."""
        try:
            self._accept(self._origin.file.read_bytes(), keep=False)
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            log.warning("the kept copy of %s is not used: %s", self._origin.key, error)

    def ask_now(self) -> None:
        """Polls at once, for an unknown key id or a pointer without a copy."""
        self._ask.set()

    async def poll(self) -> None:
        """Runs until cancelled."""
        while True:
            # Before the poll, so that a ring during it is not lost.
            self._ask.clear()
            try:
                await self._poll_once()
                self._note("polling")
            except (http.Error, ValueError, OSError) as error:
                self._note(f"poll fails: {type(error).__name__}: {error}")
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await self._ask.wait()
            except TimeoutError:
                continue

    async def _poll_once(self) -> None:
        began = time.monotonic()
        answer = await self._client.fetch(
            f"{self._origin.path}?after={max(0, self.version)}",
            headers=self._headers(),
            limit=SNAPSHOT_BYTES_LIMIT,
        )
        if answer.status_code not in (200, 304):
            msg = f"status {answer.status_code}"
            raise ValueError(msg)
        if answer.status_code == 200:
            self._accept(answer.content)
        # Only now: who tells nothing but what cannot be taken has not been heard.
        self.heard_at, self.asked_at = time.monotonic(), began

    async def watch(self, broker: Broker) -> None:
        """Subscribes to the key and takes its last value; again after each reconnect."""
        await broker.client.subscribe(f"$KV.{BUCKET}.{self._origin.key}", cb=self._on_message)
        broker.on_reconnect(lambda: self.catch_up(broker))
        await self.catch_up(broker)

    async def catch_up(self, broker: Broker) -> None:
        try:
            reply = await broker.api(
                f"STREAM.MSG.GET.KV_{BUCKET}",
                {"last_by_subj": f"$KV.{BUCKET}.{self._origin.key}"},
            )
        except (ApiError, BrokerUnavailable) as error:
            log.debug("no %s in the bucket yet: %s", self._origin.key, error)
            return
        self._on_value(base64.b64decode(reply.get("message", {}).get("data", "")))

    async def _on_message(self, message: Msg) -> None:
        self._on_value(message.data)

    def _on_value(self, value: bytes) -> None:
        try:
            document = orjson.loads(value)
            told = int(document["version"])
            packed = document.get("gzip")
            try:
                if packed is not None and self._origin.proves_itself:
                    self._accept(unpack(base64.b64decode(packed)))
                    self.heard_at = time.monotonic()
            finally:
                # Also after a change that builds on versions this gateway has missed.
                if told > self.version:
                    self.ask_now()
        except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
            log.warning("a copy of %s from NATS is not used: %s", self._origin.key, error)

    def _accept(self, copy: bytes, *, keep: bool = True) -> None:
        try:
            version = self._take(copy)
        except (KeyError, TypeError, AttributeError) as error:
            # Another shape than agreed: refused like a forged one, and the feed lives on.
            msg = f"not a snapshot: {error!r}"
            raise ValueError(msg) from error
        if version is None:
            return
        self.version = version
        log.info("%s are at version %d", self._origin.key, version)
        if keep and self._origin.is_kept:
            write_whole(self._origin.file, copy)

    def _note(self, state: str) -> None:
        """Says a change of state once."""
        if state != self._state:
            log.log(logging.INFO if state == "polling" else logging.WARNING, "%s: %s",
                    self._origin.key, state)  # fmt: skip
            self._state = state


def unpack(packed: bytes) -> bytes:
    """Bounded while it unpacks: it is not verified yet, and a few KiB can unpack to gigabytes."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(packed)) as file:
            copy = file.read(SNAPSHOT_BYTES_LIMIT + 1)
    except (zlib.error, EOFError) as error:
        msg = f"not gzip: {error}"
        raise ValueError(msg) from error
    if len(copy) > SNAPSHOT_BYTES_LIMIT:
        msg = f"it unpacks to more than {SNAPSHOT_BYTES_LIMIT} bytes"
        raise ValueError(msg)
    return copy


def write_whole(path: Path, copy: bytes) -> None:
    """Whole or not at all: a gateway that dies here finds the copy of before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Gateways in containers of their own share the folder, and all of them have the same pid.
    draft = path.with_suffix(f".{os.uname().nodename}.{os.getpid()}")
    with draft.open("wb") as file:
        file.write(copy)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
