"""Fetching evidence for its preview: claimed in one transaction, called without any, recorded in
another. The person's number passes through here to the holder and is kept nowhere.
"""

from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.database import Database
from sebalai_shared.problems import Conflict, FieldInvalid, Forbidden, Problem, Unavailable
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.evidence import store
from sebalai_services_catalog.evidence.actions import (
    ConsentMissing,
    EvidenceNotOffered,
    check_wanted,
    has_preview,
    held_consent,
    read_consent,
    record,
)
from sebalai_services_catalog.evidence.machine import OPEN, Act, State, after
from sebalai_services_catalog.evidence.matching import NoMatch, Taken, Unreadable, take_over
from sebalai_services_catalog.evidence.model import Consent, EvidenceType
from sebalai_services_catalog.evidence.schema import PreviewRead, PreviewWrite
from sebalai_services_catalog.evidence.source import Answered, Ask, EvidenceSource, FetchFailed

HOLD = timedelta(seconds=30)
"""Longer than a call may last; after a crash the next try waits this long."""
PREVIEW_KEPT = timedelta(minutes=30)
FETCHES_MAX = 5
PERSONS = frozenset({"citizen", "civil_servant", "business"})
"""Kinds of callers behind whom somebody has signed in."""
NIK_FIELD = "nik"
MISSES_MAX = 10
MISSES_WITHIN = timedelta(days=1)
"""Who says wrong things about themselves this often guesses."""


class EvidenceNoMatch(Conflict):
    slug, title = "evidence-no-match", "The holder knows nobody of whom all of this is true"


class EvidenceOfAnother(Forbidden):
    slug, title = "evidence-of-another", "The number is not known to be that of who signed in"


class FetchesUsedUp(Problem):
    status, slug, title = 429, "evidence-fetches-used-up", "It was tried too often"


class BeingFetched(Conflict):
    slug, title = "evidence-being-fetched", "It is being fetched at this moment"


class EvidenceUnavailable(Unavailable):
    slug, title = "evidence-unavailable", "The holder cannot be reached; uploading stays possible"


class Fetcher:
    """Asks the bus for one caller."""

    def __init__(
        self, database: Database, source: EvidenceSource, clock: Clock, caller: Caller
    ) -> None:
        self._database, self._source, self._clock, self._caller = database, source, clock, caller

    async def preview(self, key: UUID, kind: str, wanted: PreviewWrite) -> PreviewRead:
        """The preview held already, or one call on the bus.

        Raises: as `held_consent`; FieldInvalid, FetchesUsedUp, BeingFetched, EvidenceNotOffered,
        EvidenceOfAnother, EvidenceNoMatch, EvidenceUnavailable.
        """
        about = (key, kind, wanted.consent)
        async with self._database.transaction() as session:
            consent = await held_consent(session, self._clock, caller=self._caller, about=about)
            await check_wanted(session, caller=self._caller, consent=consent)
            if has_preview(consent, self._clock.now()):
                return _read(consent)
            found = await self._claim(session, consent, wanted.subject)
        return await self._fetch(found, wanted)

    async def _claim(
        self, session: AsyncSession, consent: Consent, subject: dict[str, str]
    ) -> EvidenceType:
        kind, now = await store.find_type(session, consent.evidence_type), self._clock.now()
        if kind is None or kind.interface is None:
            raise EvidenceNotOffered("It is not to be had over the bus any more.")
        if set(subject) != {kind.key_field, kind.match_field}:
            raise FieldInvalid("/subject", f"Say {kind.key_field} and {kind.match_field}.")
        if consent.held_until is not None and now < consent.held_until:
            raise BeingFetched("Wait for the other answer.", headers={"Retry-After": "5"})
        misses = await store.misses_of(session, str(self._caller.subject), now - MISSES_WITHIN)
        if consent.fetches >= FETCHES_MAX or misses >= MISSES_MAX:
            raise FetchesUsedUp("Upload it instead.", headers={"Retry-After": "86400"})
        consent.held_until, consent.fetches = now + HOLD, consent.fetches + 1
        await session.flush()
        return kind

    async def _fetch(self, kind: EvidenceType, wanted: PreviewWrite) -> PreviewRead:
        key_field, match_field = str(kind.key_field), str(kind.match_field)
        ask = Ask(
            str(kind.interface), str(kind.path), str(kind.purpose), wanted.consent,
            {key_field: wanted.subject[key_field]},
        )  # fmt: skip
        answered = taken = None
        failed: FetchFailed | None = None
        try:
            await self._check_own(wanted.subject)
            answered = await self._source.fetch(ask)
            taken = _taken(answered, (match_field, wanted.subject[match_field]), kind.fields)
        except FetchFailed as error:
            failed = error
        read = await self._record(wanted.consent, answered, taken, failed)
        if failed is not None:
            raise _problem(failed) from failed
        if read is None:
            raise ConsentMissing("It ended while the holder answered; nothing was kept.")
        return read

    async def _check_own(self, subject: dict[str, str]) -> None:
        """Another's number never goes to a holder in the name of who signed in; an application
        that files for itself proves its person by what must agree. Raises: FetchFailed.
        """
        nik = subject.get(NIK_FIELD)
        if nik is None or self._caller.kind not in PERSONS:
            return
        if not await self._source.is_number_of(str(self._caller.subject), nik):
            raise FetchFailed("other_person")

    async def _record(
        self,
        key: UUID,
        answered: Answered | None,
        taken: Taken | None,
        failed: FetchFailed | None,
    ) -> PreviewRead | None:
        """What came of the call, whatever came of it. Null when nothing may be shown."""
        async with self._database.transaction() as session:
            consent, now = await store.hold(session, self._caller, key), self._clock.now()
            assert consent is not None  # noqa: S101 - consents are never deleted
            consent.held_until, consent.preview, consent.preview_until = None, None, None
            before, act, call = _outcome(consent, answered, failed)
            if act == "fetch" and answered is not None and taken is not None:
                _show(consent, answered, taken, now)
            consent.state = after(before, act)
            await record(session, consent, (act, before), consent.given_by, now, call)
            return _read(consent) if act == "fetch" else None

    async def receipt(self, key: UUID) -> bytes | None:
        """The call receipt of a consent's fetch; null where none is there, or not yet.

        Raises: ConsentUnknown, EvidenceUnavailable.
        """
        async with self._database.transaction() as session:
            row = await read_consent(session, caller=self._caller, key=key)
        if row.message_id is None:
            return None
        try:
            return await self._source.receipt(row.message_id)
        except FetchFailed as error:
            raise EvidenceUnavailable("Ask again.", headers={"Retry-After": "5"}) from error


def _outcome(
    consent: Consent, answered: Answered | None, failed: FetchFailed | None
) -> tuple[State, Act, tuple[str | None, UUID | None]]:
    """State before, act, and what is told of the call: an answer too late is a failure."""
    if failed is not None:
        return consent.state, "fail", (failed.outcome, failed.message_id)
    message_id = answered.message_id if answered else None
    if consent.state not in OPEN:
        return consent.state, "fail", ("ended", message_id)
    return consent.state, "fetch", (None, message_id)


def _show(consent: Consent, answered: Answered, taken: Taken, now: datetime) -> None:
    consent.preview, consent.preview_until = taken.document, now + PREVIEW_KEPT
    consent.sha256, consent.fetched_at = taken.sha256, now
    consent.answer_sha256 = sha256(answered.content).hexdigest()
    consent.message_id = answered.message_id


def _taken(answered: Answered, match: tuple[str, str], fields: list[str]) -> Taken:
    """Raises: FetchFailed."""
    try:
        return take_over(answered.content, match, fields)
    except NoMatch as error:
        raise FetchFailed("no_match", answered.message_id) from error
    except Unreadable as error:
        raise FetchFailed("unavailable", answered.message_id) from error


def _problem(error: FetchFailed) -> Problem:
    number = str(error.message_id) if error.message_id else None
    if error.outcome == "other_person":
        return EvidenceOfAnother("Ask for your own, or upload it.")
    if error.outcome == "no_match":
        return EvidenceNoMatch("Check what you entered, or upload it.", message_id=number)
    if error.outcome == "refused":
        return EvidenceNotOffered("The holder's agreement does not allow it.", message_id=number)
    headers = {"Retry-After": "60"}
    return EvidenceUnavailable("Try later, or upload it.", headers=headers, message_id=number)


def _read(consent: Consent) -> PreviewRead:
    names = ("evidence_type", "holder", "codes", "sha256", "message_id", "fetched_at")
    values = {name: getattr(consent, name) for name in names}
    values |= {"consent": consent.id, "document": consent.preview, "until": consent.preview_until}
    return PreviewRead.model_validate(values)
