"""Timed work of signatures: what awaits its timestamp gets it, what has it is preserved, and what
is preserved is renewed before its last timestamp's certificate ends.
"""

import asyncio
import logging

from sebalai_shared.clock import Clock
from sebalai_shared.database import Database

from sebalai_archive.content.frames import SealBroken
from sebalai_archive.content.keys import KeyUnknown
from sebalai_archive.content_store import ContentStore
from sebalai_archive.reader import enter_as_worker
from sebalai_archive.settings import ArchiveSettings
from sebalai_archive.signatures import actions
from sebalai_archive.signatures.actions import Due
from sebalai_archive.signing.choosing import augmenter_of
from sebalai_archive.signing.outside import outside_client
from sebalai_archive.signing.signer import (
    Augmented,
    Augmenting,
    AugmentingFailed,
    TimestampUnavailable,
)

log = logging.getLogger(__name__)

PASS_FILES = 100
AUGMENT_SECONDS_MAX = 120.0  # of one file, with all who are asked about its certificates


class SignatureKeeper:
    """The worker's part: with a timestamp authority it augments what is due, without it nothing."""

    def __init__(
        self, database: Database, content: ContentStore, settings: ArchiveSettings, clock: Clock
    ) -> None:
        self._database, self._content, self._clock = database, content, clock
        self._client = outside_client(settings)
        self._augmenter = augmenter_of(settings, self._client)

    async def augment(self) -> None:
        if self._augmenter is not None:
            await augment_due(self._database, self._content, self._augmenter, self._clock)

    async def close(self) -> None:
        await self._client.aclose()


async def augment_due(
    database: Database, content: ContentStore, augmenter: Augmenting, clock: Clock
) -> int:
    """Answers how many files were added to. Ends at the first timestamp that nobody gives: what
    waits is not hurried by asking for each.
    """
    done = 0
    for _ in range(PASS_FILES):
        async with database.transaction() as session:
            due = await actions.claim_due(session, clock)
        if due is None:
            break
        try:
            done += await _augment(database, content, augmenter, clock, due)
        except TimestampUnavailable as error:
            log.warning("signatures wait for the timestamp authority: %s", error)
            await _note(database, due, "timestamp-unavailable")
            break
        except AugmentingFailed as error:
            log.error("nothing could be added to the signature of %s: %s", due.record_id, error)  # noqa: TRY400 - its class and words say all
            await _note(database, due, error.slug)
        except Exception:  # house: broad - one file stops no other; it is tried again later
            log.exception("nothing could be added to the signature of %s", due.record_id)
            await _note(database, due, "unexpected")
    return done


async def _augment(
    database: Database, content: ContentStore, augmenter: Augmenting, clock: Clock, due: Due
) -> bool:
    made = await _added(content, augmenter, due)
    security_class = due.content.seal.security_class if due.content.seal else "biasa"
    stored = await content.put_whole(made.pdf, security_class)
    async with database.transaction() as session:
        await enter_as_worker(session, clock.now())
        return await actions.keep_augmented(session, clock, due=due, made=made, stored=stored)


async def _added(content: ContentStore, augmenter: Augmenting, due: Due) -> Augmented:
    try:
        pdf = await content.read(due.content)
    except (OSError, KeyUnknown) as error:
        raise AugmentingFailed("content-unavailable", str(error)) from error
    except SealBroken as error:
        raise AugmentingFailed("content-damaged", "the file is not what was signed") from error
    try:
        async with asyncio.timeout(AUGMENT_SECONDS_MAX):
            made = await (augmenter.stamp(pdf) if due.profile == "B-B" else augmenter.preserve(pdf))
    except TimeoutError as error:
        raise AugmentingFailed("too-slow", "those asked about its certificates are slow") from error
    if not made.pdf.startswith(pdf):
        raise AugmentingFailed("not-appended", "the signed file would not stay as it was")
    return made


async def _note(database: Database, due: Due, problem: str) -> None:
    async with database.transaction() as session:
        await actions.note_problem(session, record_id=due.record_id, problem=problem)
