"""Taking entries in, and proving what the log holds."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.problems import FieldInvalid, NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_exchange.ledger import access, merkle, store
from sebalai_exchange.ledger.entry import Entry, entry_of_exchange
from sebalai_exchange.ledger.paths import TilePath, bundle
from sebalai_exchange.ledger.store import Found, Log

FORMATS = {"call": "sebalai-call-receipt/1", "event": "sebalai-event-receipt/1"}


class ReceiptPending(NotFound):
    slug, title = "receipt-pending", "The entry is not in the log yet"


class ReceiptUnknown(NotFound):
    slug, title = "receipt-unknown", "There is no such receipt, or it is not yours to see"


class LogUnknown(NotFound):
    slug, title = "log-unknown", "There is no such log, or it has no entry yet"


class TileUnknown(NotFound):
    slug, title = "tile-unknown", "There is no such tile yet"


@dataclass(frozen=True)
class Proof:
    log: str
    size: int
    hashes: list[bytes]


async def take_entries(session: AsyncSession, *, entries: Sequence[Entry]) -> None:
    """Lets entries wait for the sequencer; those known already change nothing."""
    if entries:
        await store.add_entries(session, entries)


async def take_statements(session: AsyncSession, *, statements: Sequence[dict[str, Any]]) -> None:
    """Facts in the form of events that are evidence of one exchange, for the log of their year."""
    await take_entries(session, entries=[entry_of_exchange(one) for one in statements])


async def list_logs(session: AsyncSession) -> list[Log]:
    return await store.logs(session)


async def find_log(session: AsyncSession, *, name: str) -> Log:
    """The log with its checkpoint. Raises `LogUnknown`."""
    found = await store.log(session, name)
    if found is None or found.checkpoint is None:
        raise LogUnknown("See /v1/ledger for the logs there are.")
    return found


async def prove_inclusion(
    session: AsyncSession, *, name: str, index: int, size: int | None
) -> Proof:
    """Raises `LogUnknown`, `FieldInvalid`."""
    log = await find_log(session, name=name)
    wanted = log.size if size is None else size
    if not index < wanted <= log.size:
        raise FieldInvalid("/index", f"must be below size, and size at most {log.size}")
    hashes = await _hashes(session, name, merkle.inclusion_ranges(index, wanted))
    return Proof(name, wanted, hashes)


async def prove_consistency(
    session: AsyncSession, *, name: str, old: int, new: int | None
) -> Proof:
    """That the log of size `old` is the beginning of the one of `new`.

    Raises `LogUnknown`, `FieldInvalid`.
    """
    log = await find_log(session, name=name)
    wanted = log.size if new is None else new
    if not 0 < old <= wanted <= log.size:
        raise FieldInvalid("/old", f"0 < old <= new <= {log.size} must hold")
    hashes = await _hashes(session, name, merkle.consistency_ranges(old, wanted))
    return Proof(name, wanted, hashes)


async def read_tile(session: AsyncSession, *, name: str, wanted: TilePath) -> bytes:
    """The tile or bundle of exactly the wanted width, which never changes once it can be read.

    Raises `TileUnknown`.
    """
    if wanted.level is None:
        first = wanted.number * merkle.TILE_WIDTH
        leaves = await store.leaves(session, name, first, wanted.width)
        if len(leaves) == wanted.width:
            return bundle(leaves)
    else:
        place = (wanted.level, wanted.number)
        hashes = (await store.tiles(session, name, [place])).get(place, b"")
        length = wanted.width * merkle.HASH_BYTES
        if len(hashes) >= length:
            return hashes[:length]
    raise TileUnknown("The log is not that long; see its checkpoint for the size.")


async def _hashes(session: AsyncSession, name: str, ranges: Sequence[merkle.Range]) -> list[bytes]:
    tiles = await store.tiles(session, name, merkle.tiles_for(ranges))
    return [merkle.range_hash(tiles, span) for span in ranges]


async def make_receipt(
    session: AsyncSession, clock: Clock, *, caller: Caller, message_id: UUID
) -> bytes:
    """The receipt as JSON (wiring, section 12), against the log's present checkpoint.

    Raises `ReceiptPending`, `ReceiptUnknown`.
    """
    found = await store.find(session, message_id)
    if found is None or not _may_read(caller, found.entry):
        if access.may_still_come(message_id, clock.now()):
            raise _pending()
        raise ReceiptUnknown("Ask with an application that took part in the call.")
    if found.index is None:
        raise _pending()
    ranges = merkle.inclusion_ranges(found.index, found.log.size)
    return _receipt(found, await _hashes(session, found.log.name, ranges))


def _pending() -> ReceiptPending:
    return ReceiptPending("Ask again in a second.", headers={"Retry-After": "1"})


def _may_read(caller: Caller, entry: Entry) -> bool:
    return access.may_read(
        caller, consumer=entry.consumer, provider=entry.provider, agency=entry.agency
    )


def _receipt(found: Found, proof: Sequence[bytes]) -> bytes:
    checkpoint = str(found.log.checkpoint)
    document: dict[str, Any] = {
        "format": FORMATS[found.entry.kind],
        "payload": orjson.Fragment(found.entry.payload),
        "salt": base64.urlsafe_b64encode(found.entry.salt).decode().rstrip("="),
        "leaf": found.entry.leaf,
        "log": {
            "origin": checkpoint.partition("\n")[0],
            "index": found.index,
            "size": found.log.size,
            "proof": [digest.hex() for digest in proof],
            "checkpoint": checkpoint,
        },
    }
    return orjson.dumps(document)
