"""Gives waiting entries their dense index, grows the tiles and signs the checkpoint.

One sequencer leads, held by an advisory lock on the very connection it writes with: who loses the
connection loses the lead and the open transaction together. Everything of one pass is one
transaction, so no reader and no restart ever sees an index without its tiles, or two roots for
one size. Does not own what an entry says.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
from sebalai_shared.clock import Clock
from sebalai_shared.database import server_settings
from sebalai_shared.driver import FAILED

from sebalai_exchange.ledger import merkle
from sebalai_exchange.ledger.heads import Heads, LedgerBehindError
from sebalai_exchange.ledger.note import Signer, checkpoint_text
from sebalai_exchange.ledger.store import BELL
from sebalai_exchange.ledger.tiles import stored

log = logging.getLogger(__name__)

ENTRIES_PER_PASS = 1_024
PASS_EACH_SECONDS = 0.2
LOCK_RETRY_SECONDS = 1.0
BEHIND_RETRY_SECONDS = 10.0
LEAD_LOCK = 7_219_304_005
CONNECT_TIMEOUT_SECONDS = 5


class LeadLostError(Exception):
    """The connection that held the lead is gone; end and let the supervisor start anew."""


@dataclass(frozen=True)
class LogKey:
    """What a pass signs with: the ledger's key under the log's own origin."""

    signer: Signer
    clock: Clock

    def of(self, name: str) -> Signer:
        return self.signer.named(f"{self.signer.name}/{name}")


async def advance(connection: Any, name: str, key: LogKey) -> int:
    """Takes up to ENTRIES_PER_PASS waiting entries into the log; answers how many.

    Takes whatever waits, lowest id first: an entry that commits late with a low id is simply next.
    """
    async with connection.transaction():
        size = await connection.fetchval(
            "SELECT size FROM ledger_log WHERE name = $1 FOR NO KEY UPDATE", name
        )
        rows = await connection.fetch(
            "SELECT id, leaf FROM ledger_entry WHERE log = $1 AND idx IS NULL ORDER BY id LIMIT $2",
            name,
            ENTRIES_PER_PASS,
        )
        if not rows:
            return 0
        await _number(connection, [row["id"] for row in rows], size)
        hashes = [merkle.leaf_hash(row["leaf"].encode()) for row in rows]
        tiles = await _grow(connection, name, size, hashes)
        await _sign(connection, key, name, (size + len(rows), tiles))
        return len(rows)


async def _number(connection: Any, ids: Sequence[Any], size: int) -> None:
    await connection.execute(
        """
        UPDATE ledger_entry e SET idx = w.idx
        FROM unnest($1::uuid[], $2::bigint[]) AS w(id, idx) WHERE e.id = w.id
        """,
        ids,
        list(range(size, size + len(ids))),
    )


async def _grow(
    connection: Any, name: str, size: int, hashes: Sequence[bytes]
) -> dict[tuple[int, int], bytes]:
    """Writes the changed tiles; answers every tile of the new right edge, and more."""
    tiles = await stored(connection, name, merkle.right_edge(size))
    changed = merkle.grow(tiles, size, hashes)
    await connection.execute(
        """
        INSERT INTO ledger_tile (log, level, number, hashes)
        SELECT $1, * FROM unnest($2::smallint[], $3::bigint[], $4::bytea[])
        ON CONFLICT (log, level, number) DO UPDATE SET hashes = excluded.hashes
        """,
        name,
        [level for level, _ in changed],
        [number for _, number in changed],
        list(changed.values()),
    )
    return tiles | changed


async def _sign(
    connection: Any, key: LogKey, name: str, grown: tuple[int, dict[tuple[int, int], bytes]]
) -> None:
    size, tiles = grown
    signer = key.of(name)
    note = signer.sign(checkpoint_text(signer.name, size, merkle.root(tiles, size)))
    await connection.execute(
        "INSERT INTO ledger_checkpoint (log, size, note, signed_at) VALUES ($1, $2, $3, $4)",
        name,
        size,
        note,
        key.clock.now(),
    )
    await connection.execute(
        "UPDATE ledger_log SET size = $2, checkpoint = $3, verifier_key = $4 WHERE name = $1",
        name,
        size,
        note,
        signer.verifier_text(),
    )


async def pass_once(connection: Any, key: LogKey) -> bool:
    """One pass over every log with waiting entries; whether any still has more."""
    waiting = await connection.fetch(
        """
        SELECT name FROM ledger_log l
        WHERE EXISTS (SELECT 1 FROM ledger_entry e WHERE e.log = l.name AND e.idx IS NULL)
        ORDER BY name
        """
    )
    taken = [await advance(connection, row["name"], key) for row in waiting]
    return ENTRIES_PER_PASS in taken


class Sequencer:
    """`beat` is called in every pass, for the heartbeat file; `heads`: what was signed last."""

    def __init__(
        self,
        dsn: str,
        key: LogKey,
        beat: Callable[[], None] = lambda: None,
        heads: Heads | None = None,
    ) -> None:
        self._dsn, self._key, self._beat = dsn, key, beat
        self._heads = heads or Heads(None, key.signer.name)
        self._bell = asyncio.Event()

    async def run(self) -> None:
        """Runs until cancelled. Raises `LeadLostError`."""
        try:
            connection = await asyncpg.connect(
                self._dsn, timeout=CONNECT_TIMEOUT_SECONDS, server_settings=server_settings()
            )
        except FAILED as error:
            raise LeadLostError("the database cannot be reached") from error
        try:
            await self._lead(connection)
            await self._await_whole(connection)
            await connection.add_listener(BELL, self._ring)
            await self._loop(connection)
        except FAILED as error:
            raise LeadLostError(str(error)) from error
        finally:
            connection.terminate()

    def _ring(self, *_: object) -> None:
        self._bell.set()

    async def _lead(self, connection: Any) -> None:
        while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", LEAD_LOCK):
            self._beat()
            await asyncio.sleep(LOCK_RETRY_SECONDS)
        log.info("this sequencer leads")

    async def _await_whole(self, connection: Any) -> None:
        """Numbers nothing while the database lacks what was signed: calls go on, receipts wait."""
        while True:
            try:
                return await self._heads.require(connection)
            except LedgerBehindError as error:
                log.error("nothing is numbered: %s", error)  # noqa: TRY400 - no fault of ours
            await asyncio.sleep(BEHIND_RETRY_SECONDS)

    async def _loop(self, connection: Any) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._beat()
            self._bell.clear()  # before the read: a ring during it must not be lost
            started = loop.time()
            is_more = await pass_once(connection, self._key)
            await self._heads.keep(connection)
            if is_more:
                continue
            await self._wait()
            # Not more than one checkpoint each PASS_EACH_SECONDS while entries come singly.
            await asyncio.sleep(max(0.0, started + PASS_EACH_SECONDS - loop.time()))

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(PASS_EACH_SECONDS):
                await self._bell.wait()
        except TimeoutError:
            return
