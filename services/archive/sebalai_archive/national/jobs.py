"""Timed work of the exchange: queue what was sent, read what came, work off what is due.

An outage ends the pass after a few failures; a letter that is refused keeps no other waiting. A
kill loses nothing: the queue and the place of reading are rows, and each step can be done twice.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from sebalai_shared import http
from sebalai_shared.addresses import Reach
from sebalai_shared.clock import Clock
from sebalai_shared.database import Database
from sebalai_shared.process import every

from sebalai_archive.content.frames import SealBroken
from sebalai_archive.content.keys import KeyUnknown
from sebalai_archive.content_store import ContentStore
from sebalai_archive.national import actions, store
from sebalai_archive.national.model import NationalItem
from sebalai_archive.national.wire import (
    LETTER_BYTES_MAX,
    Away,
    Differs,
    Incoming,
    National,
    Outgoing,
    Refused,
    Srikandi,
)
from sebalai_archive.seals import actions as seals
from sebalai_archive.settings import ArchiveSettings

log = logging.getLogger(__name__)

SYNC_SECONDS = 60.0
READ_SECONDS = 20.0
PAGES_A_PASS = 10
ITEMS_A_PASS = 100
FAILURES_MAX = 3


def national_client(settings: ArchiveSettings) -> http.Client:
    """The process's client of the national application; close it at the end."""
    reach = Reach.parse(settings.private_systems.split(","))
    client = http.client(reach, base_url=settings.srikandi_url, read_seconds=READ_SECONDS)
    if settings.srikandi_token is not None:
        client.headers["Authorization"] = f"Bearer {settings.srikandi_token.get_secret_value()}"
    return client


async def exchange_letters(
    database: Database, content: ContentStore, clock: Clock, settings: ArchiveSettings
) -> None:
    """For ever, where there is a national application; else nothing."""
    if not settings.srikandi_url or settings.srikandi_units_file is None:
        return
    units = units_of(settings.srikandi_units_file)
    async with national_client(settings) as client:
        exchanger = Exchanger(database, content, Srikandi(client), clock, units)
        await every(SYNC_SECONDS, exchanger.exchange)


def units_of(file: Path) -> dict[str, str]:
    """Codes of the national application for our agencies: `{"code": "agency"}`. An agency that is
    not named takes no part. Raises `OSError`, `ValueError`.
    """
    found: Any = orjson.loads(file.read_bytes())
    if not isinstance(found, dict) or len(set(found.values())) != len(found):
        raise ValueError(f"{file}: one code for each agency")
    return {str(code): str(agency) for code, agency in found.items()}


class Exchanger:
    """`units` as `units_of` reads them."""

    def __init__(
        self, database: Database, content: ContentStore, national: National, clock: Clock,
        units: Mapping[str, str],
    ) -> None:  # fmt: skip
        self._database, self._content, self._clock = database, content, clock
        self._national, self._units = national, units
        self._codes = {agency: code for code, agency in units.items()}

    async def exchange(self) -> int:
        """One pass; answers how many letters are through by it."""
        async with self._database.transaction() as session:
            await actions.queue_letters(session, self._clock, agencies=list(self._codes))
        try:
            await self._read_list()
        except Away as error:
            log.warning("the national application's list cannot be read: %s", error)
        async with self._database.transaction() as session:
            waiting = await store.due(session, self._clock.now(), ITEMS_A_PASS)
            session.expunge_all()
        return await self._work_off(waiting)

    async def _read_list(self) -> None:
        for _ in range(PAGES_A_PASS):
            async with self._database.transaction() as session:
                after = await store.cursor(session)
            letters = await self._national.after(after)
            async with self._database.transaction() as session:
                await actions.note_listed(session, self._clock, letters=letters, units=self._units)
            if not letters:
                return

    async def _work_off(self, waiting: Any) -> int:
        done = failures = 0
        for item in waiting:
            problem = await self._try(item)
            done += problem is None
            failures = failures + 1 if problem == "away" else 0
            if failures == FAILURES_MAX:
                break
        return done

    async def _try(self, item: NationalItem) -> str | None:
        """None when it is through; else why not, in a word, which its row says too."""
        try:
            if item.outgoing_id is None:
                await self._fetch(item)
            else:
                await self._send(item, item.outgoing_id)
        except Away as error:
            log.warning("letter %s waits: %s", item.id, error)
            await self._tell(item.id, "away")
            return "away"
        except Differs:
            await self._tell(item.id, "content-differs", "conflict")
            return "content-differs"
        except Refused as error:
            await self._tell(item.id, error.slug, "refused")
            return error.slug
        return None

    async def _tell(self, item_id: UUID, problem: str, state: Any = None) -> None:
        async with self._database.transaction() as session:
            item = await store.lock_waiting(session, item_id)
            if item is None:
                return
            if state is None:
                actions.put_off(item, self._clock, problem=problem)
            else:
                actions.settle(item, self._clock, state=state, problem=problem)

    async def _send(self, item: NationalItem, letter_id: UUID) -> None:
        async with self._database.transaction() as session:
            letter = await store.letter(session, letter_id)
            kept = await seals.locate(
                session, sha256=letter.content_sha256, size=letter.content_bytes,
                security_class=letter.security_class,
            )  # fmt: skip
        if kept.size > LETTER_BYTES_MAX:
            raise Refused("letter-too-large")
        try:
            pdf = b"".join([part async for part in self._content.stream(kept, 0, kept.size)])
        except (OSError, KeyUnknown, SealBroken) as error:
            raise Refused("content-unreadable") from error
        facts = _facts(letter, self._codes[letter.agency])
        national_id = await self._national.send(Outgoing(str(letter.id), facts, pdf))
        async with self._database.transaction() as session:
            found = await store.lock_waiting(session, item.id)
            if found is not None:
                found.national_id = national_id
                actions.settle(found, self._clock, state="done")

    async def _fetch(self, item: NationalItem) -> None:
        letter = Incoming.model_validate(item.facts)
        agency = self._units.get(letter.unit)
        if agency is None:
            raise Refused("agency-unknown")
        content = await self._content.put_whole(
            await self._national.fetch(letter), letter.security_class
        )
        async with self._database.transaction() as session:
            await actions.arrive(
                session, self._clock, item_id=item.id, agency=agency, come=(letter, content)
            )


def _facts(letter: Any, code: str) -> dict[str, Any]:
    """The words of the wire; nobody's NIK is among them."""
    return {
        "nomor": letter.number_text,
        "tanggal": letter.letter_date.isoformat(),
        "hal": letter.subject,
        "jenis": letter.letter_type,
        "sifat": letter.urgency,
        "tingkat_keamanan": letter.security_class,
        "klasifikasi": letter.classification_code,
        "instansi_pengirim": code,
        "tujuan": [one["name"] for one in letter.addressees],
    }
