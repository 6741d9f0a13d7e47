"""What a report on a signature says, and who makes one: bounded, because anybody may ask."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sebalai_shared.clock import Clock
from sebalai_shared.problems import Unavailable

from sebalai_archive.content.frames import SealBroken
from sebalai_archive.content.keys import KeyUnknown
from sebalai_archive.content_store import ContentStore, Stored
from sebalai_archive.settings import ArchiveSettings
from sebalai_archive.signing.choosing import roots_of
from sebalai_archive.signing.signer import Profile

Verdict = Literal["passed", "indeterminate", "failed"]
TimeSource = Literal["signature_timestamp", "document_timestamp", "validation"]

AT_ONCE = 1  # a report takes up to half a second of one core
WAITING_MAX = 16
KEPT_MAX = 256
KEPT_FOR = timedelta(minutes=10)


class NotSigned(Exception):
    """The file has no signature that can be read."""


class ReportsBusy(Unavailable):
    slug, title = "reports-busy", "Too many signatures are being validated at once"


class FileUnavailable(Unavailable):
    slug, title = "signed-file-unavailable", "The signed file cannot be read at the moment"


@dataclass(frozen=True, slots=True)
class Stamp:
    """A timestamp over the signature: when, whose, whether it holds, when its certificate ends."""

    at: datetime
    authority: str
    is_trusted: bool
    good_until: datetime


@dataclass(frozen=True, slots=True)
class Report:
    """`reason` is `ok`, `changed`, `signature_invalid`, `timestamp_not_trusted`, or the
    sub-indication of EN 319 102-1 in lower case. `time_used` is the instant as of which the
    signer's certificate was judged, and `time_source` who says that the signature existed then.
    """

    profile: Profile
    verdict: Verdict
    reason: str
    is_intact: bool
    is_trusted: bool
    signer: str
    serial: str
    time_used: datetime
    time_source: TimeSource
    validated_at: datetime
    has_revocation: bool
    timestamps: Sequence[Stamp]


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
