"""Decisions about the harvest: what is shown when, and what one request is answered.

Only what everybody may read is shown, whoever asks: an answer is the same for all.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.describing import description_of
from sebalai_archive.harvest import asking, store
from sebalai_archive.harvest.answering import Answer, Item, Token
from sebalai_archive.harvest.asking import Ask, Listing, Refused
from sebalai_archive.reader import Reader, enter, enter_as_worker
from sebalai_archive.records import actions as records

PUBLISH_A_PASS = 1_000
RECORDS_A_PAGE = 100
HEADERS_A_PAGE = 500
SECTIONS = [f"{number}00" for number in range(10)]


@dataclass(frozen=True, slots=True)
class Repository:
    """`base_url` is the address of the protocol, `public_url` of the platform."""

    base_url: str
    public_url: str
    email: str


@dataclass(frozen=True, slots=True)
class Desk:
    """One request at work: as the public, at `now` by the database's clock."""

    session: AsyncSession
    repository: Repository
    reader: Reader
    ask: Ask
    answer: Answer


async def publish_changes(session: AsyncSession, *, now: datetime) -> int:
    """Shows what was declared and destroyed since. Answers how many changes waited."""
    await enter_as_worker(session, now)
    return await store.publish(session, PUBLISH_A_PASS)


async def answer_harvester(
    session: AsyncSession, *, repository: Repository, pairs: Sequence[tuple[str, str]]
) -> bytes:
    """An OAI-PMH document; whatever is wrong with the request is told inside it."""
    now = await store.begin_reading(session)
    reader = Reader("public", now)
    await enter(session, reader)
    try:
        ask = asking.read_ask(pairs)
    except Refused as refused:
        answer = Answer(repository.base_url, now, None)
        answer.refuse(refused)
        return answer.write()
    return await _answer(Desk(session, repository, reader, ask, _begun(repository, now, ask)))


def _begun(repository: Repository, now: datetime, ask: Ask) -> Answer:
    return Answer(repository.base_url, now, ask)


async def _answer(desk: Desk) -> bytes:
    try:
        await VERBS[desk.ask.verb](desk)
    except Refused as refused:
        said = None if refused.code == "badArgument" else desk.ask
        answer = Answer(desk.repository.base_url, desk.reader.now, said)
        answer.refuse(refused)
        return answer.write()
    return desk.answer.write()


async def _identify(desk: Desk) -> None:
    earliest = await store.earliest(desk.session) or desk.reader.now
    desk.answer.identify(desk.repository.base_url, desk.repository.email, earliest)


async def _formats(desk: Desk) -> None:
    if "identifier" in desk.ask.arguments:
        await _item(desk)
    desk.answer.formats()


async def _sets(desk: Desk) -> None:
    if "resumptionToken" in desk.ask.arguments:
        raise Refused("badResumptionToken", "The sets come in one part.")
    agencies = [(f"agency:{one}", one) for one in await store.agencies(desk.session)]
    desk.answer.sets([*agencies, *((f"classification:{one}", one) for one in SECTIONS)])


async def _record(desk: Desk) -> None:
    prefix = asking.format_of(desk.ask.arguments)
    desk.answer.records([await _item(desk)], prefix, None)


async def _item(desk: Desk) -> Item:
    record_id = asking.record_id_of(desk.ask.arguments["identifier"])
    known = records.known_to(desk.reader)
    row = await store.find(desk.session, known, records.Record, record_id)
    if row is None:
        raise Refused("idDoesNotExist", "There is no such item in this repository.")
    return _read(desk, row)


async def _headers(desk: Desk) -> None:
    _, items, token = await _listed(desk, HEADERS_A_PAGE)
    desk.answer.headers(items, token)


async def _records(desk: Desk) -> None:
    listing, items, token = await _listed(desk, RECORDS_A_PAGE)
    desk.answer.records(items, listing.prefix, token)


async def _listed(desk: Desk, limit: int) -> tuple[Listing, list[Item], Token | None]:
    listing = asking.listing_of(desk.ask, desk.reader.now)
    kind, _, name = (listing.set_name or "").partition(":")
    window = store.Window(
        listing.seq,
        listing.since,
        listing.until,
        name if kind == "agency" else None,
        name if kind == "classification" else None,
    )
    known = records.known_to(desk.reader)
    rows = await store.page(desk.session, known, records.Record, window, limit)
    if not rows and not listing.is_resumed:
        raise Refused("noRecordsMatch", "Nothing changed there.")
    items = [_read(desk, row) for row in rows[:limit]]
    if len(rows) <= limit:
        return listing, items, Token("") if listing.is_resumed else None
    seq = rows[limit - 1][0].seq
    token = asking.token_after(listing, desk.ask.verb, seq, desk.reader.now)
    return listing, items, Token(*token)


def _read(desk: Desk, row: Any) -> Item:
    item, record = row
    return Item(
        described=description_of(record, desk.repository.public_url),
        at=item.at,
        sets=(f"agency:{item.agency}", f"classification:{item.section}"),
        is_deleted=item.is_deleted,
    )


VERBS: Mapping[str, Callable[[Desk], Awaitable[None]]] = {
    "Identify": _identify,
    "ListMetadataFormats": _formats,
    "ListSets": _sets,
    "GetRecord": _record,
    "ListIdentifiers": _headers,
    "ListRecords": _records,
}
