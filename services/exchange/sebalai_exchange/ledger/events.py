"""Reactions of the ledger: journal records and events become entries, in the message's transaction.

A record that breaks the contract is set aside with its reason; the rest of its batch goes on.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Any, cast

import orjson
from nats.aio.msg import Msg
from sebalai_shared.consumer import Feed
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_exchange.ledger import store
from sebalai_exchange.ledger.actions import take_entries
from sebalai_exchange.ledger.entry import (
    Entry,
    MalformedEntryError,
    entry_of_call,
    entry_of_event,
)
from sebalai_exchange.usage.actions import note_calls

log = logging.getLogger(__name__)

RECORDS_PER_MESSAGE_MAX = 256
CALLS = Feed("JOURNAL", "exchange-calls", ["journal.calls.v1"])
FACTS = Feed(
    "EVENTS",
    "exchange-facts",
    [
        "sebalai.identity.>",
        "sebalai.exchange.agreement.>",
        "sebalai.exchange.group.>",
        "sebalai.exchange.interface.>",
        "sebalai.exchange.peer.>",
        "sebalai.exchange.event.>",
        "sebalai.archive.>",
    ],
)


class MalformedBatchError(ValueError):
    """The message is no JSON array of at most RECORDS_PER_MESSAGE_MAX records."""


async def on_calls(session: AsyncSession, message: Msg) -> None:
    records = orjson.loads(message.data)
    if not isinstance(records, list) or len(records) > RECORDS_PER_MESSAGE_MAX:
        raise MalformedBatchError("not an array of journal records")
    entries = await _understood(session, CALLS, message, cast("list[Any]", records), entry_of_call)
    await take_entries(session, entries=entries)
    await note_calls(session, payloads=[orjson.loads(entry.payload) for entry in entries])


async def on_fact(session: AsyncSession, message: Msg) -> None:
    document = orjson.loads(message.data)
    entries = await _understood(session, FACTS, message, [document], entry_of_event)
    await take_entries(session, entries=entries)


async def _understood(
    session: AsyncSession,
    feed: Feed,
    message: Msg,
    records: Sequence[Any],
    make: Callable[[Any], Entry],
) -> list[Entry]:
    entries: list[Entry] = []
    for number, record in enumerate(records):
        try:
            entries.append(make(record))
        except MalformedEntryError as error:
            stream_seq = message.metadata.sequence.stream
            log.warning("%s: record %d of %d: %s", feed.durable, number, stream_seq, error)
            await store.set_aside(
                session,
                {
                    "consumer": feed.durable,
                    "message_id": f"{stream_seq}#{number}",
                    "subject": message.subject,
                    "reason": str(error),
                    "payload": orjson.dumps(record),
                },
            )
    return entries
