"""Who makes reports on signatures: bounded, because anybody may ask."""

import asyncio
from collections import OrderedDict
from datetime import timedelta

from sebalai_shared.clock import Clock
from sebalai_shared.problems import Unavailable

from sebalai_archive.content.frames import SealBroken
from sebalai_archive.content.keys import KeyUnknown
from sebalai_archive.content_store import ContentStore, Stored
from sebalai_archive.settings import ArchiveSettings
from sebalai_archive.signing.choosing import roots_of
from sebalai_archive.signing.report import NotSigned, Report

AT_ONCE = 1  # a report takes up to half a second of one core
WAITING_MAX = 16
KEPT_MAX = 256
KEPT_FOR = timedelta(minutes=10)


class ReportsBusy(Unavailable):
    slug, title = "reports-busy", "Too many signatures are being validated at once"


class FileUnavailable(Unavailable):
    slug, title = "signed-file-unavailable", "The signed file cannot be read at the moment"


class Reporter:
    """Reports on stored files, AT_ONCE at a time; one is good for KEPT_FOR."""

    def __init__(self, content: ContentStore, settings: ArchiveSettings, clock: Clock) -> None:
        self._content, self._settings, self._clock = content, settings, clock
        self._turns, self._waiting = asyncio.Semaphore(AT_ONCE), 0
        self._kept: OrderedDict[str, Report] = OrderedDict()

    async def report_on(self, stored: Stored) -> Report:
        """Raises: ReportsBusy, FileUnavailable."""
        kept = self._kept.get(stored.sha256)
        if kept is not None and self._clock.now() - kept.validated_at < KEPT_FOR:
            return kept
        if self._waiting >= WAITING_MAX:
            raise ReportsBusy("Ask again in a little while.", headers={"Retry-After": "5"})
        self._waiting += 1
        try:
            async with self._turns:
                made = await self._make(stored)
        finally:
            self._waiting -= 1
        self._kept[stored.sha256] = made
        while len(self._kept) > KEPT_MAX:
            self._kept.popitem(last=False)
        return made

    async def _make(self, stored: Stored) -> Report:
        # Only here: pyHanko is a fifth of the archive's start.
        from sebalai_archive.signing.reporting import report_on  # noqa: PLC0415

        try:
            pdf = await self._content.read(stored)
        except (OSError, KeyUnknown) as error:
            raise FileUnavailable("The file is not where it should be.") from error
        except SealBroken as error:
            raise FileUnavailable("The file is damaged; the operator must look.") from error
        try:
            return await report_on(pdf, roots_of(self._settings), self._clock.now())
        except NotSigned as error:
            raise FileUnavailable("No signature can be read in the file.") from error
