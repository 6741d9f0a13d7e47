"""Decisions about numbers: templates, taking, settling, blocks for outages.

A number is taken before the letter is rendered, because it stands inside the signed document; the
series' counter is held only for that one statement. "No gap" means: every n up to the last has a
row that says what became of it.
"""

from collections.abc import Sequence
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.ids import uuid7
from sebalai_shared.problems import Conflict, FieldInvalid, Forbidden, NotFound
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.letters import actions as letters
from sebalai_archive.numbering import store
from sebalai_archive.numbering.model import ISSUED, RESERVED, VOID, Number, NumberTemplate, State
from sebalai_archive.numbering.pattern import NumberParts, written
from sebalai_archive.numbering.schema import BlockCreate, BlockRead, TemplateCreate
from sebalai_archive.numbering.store import Series, Taking
from sebalai_archive.retention.actions import civil_date

__all__ = ["NumberParts"]

WRITE = "archive.write"


class MayNotNumber(Forbidden):
    slug, title = "archive-write-missing", "This application may not write to the archive"


class TemplateMissing(Conflict):
    slug, title = "number-template-missing", "No template says how this letter is numbered"


class TemplateExists(Conflict):
    slug, title = "number-template-exists", "There is a template from that day on already"


class NumberUnknown(NotFound):
    slug, title = "number-unknown", "There is no such number, or it is not yours to see"


class NumberSettled(Conflict):
    slug, title = "number-settled", "The number is issued or void already"


def _agency_of(caller: Caller) -> str:
    if caller.agency is None or not caller.has_scope(WRITE):
        raise MayNotNumber(f"Ask the operator for scope {WRITE} for this application.")
    return caller.agency


async def add_template(
    session: AsyncSession, clock: Clock, *, caller: Caller, wanted: TemplateCreate
) -> NumberTemplate:
    """Raises `MayNotNumber`, `FieldInvalid`, `TemplateExists`."""
    agency = _agency_of(caller)
    if not await letters.is_known(session, caller=caller, code=wanted.letter_type):
        raise FieldInvalid("/letter_type", "Take a code that /v1/letter-types lists.")
    if wanted.valid_from < civil_date(clock.now()):
        raise FieldInvalid("/valid_from", "A template begins today or later, never in the past.")
    template = NumberTemplate(
        id=uuid7(),
        agency=agency,
        created_at=clock.now(),
        created_by=str(caller.subject),
        **wanted.model_dump(),
    )
    try:
        async with session.begin_nested():
            session.add(template)
    except IntegrityError as error:
        raise TemplateExists("Take another day for `valid_from`.") from error
    return template


async def list_templates(
    session: AsyncSession, *, caller: Caller, after: UUID | None, limit: int
) -> Sequence[NumberTemplate]:
    return await store.templates(session, caller, after, limit)


async def take_number(
    session: AsyncSession,
    clock: Clock,
    *,
    caller: Caller,
    letter_id: UUID,
    letter_type: str,
    parts: NumberParts,
) -> tuple[Number, str]:
    """The letter's own number, the same again when it is asked again, and how it is written. Who
    may sign the letter is its slice's to say; a signer needs no scope to write.

    Raises `MayNotNumber`, `TemplateMissing`.
    """
    agency = caller.agency
    if agency is None:
        raise MayNotNumber("Only an agency numbers letters.")
    template = await store.template_on(session, agency, letter_type, parts.day)
    if template is None:
        raise TemplateMissing(f"POST one for {letter_type} to /v1/number-templates.")
    number = await store.of_letter(session, letter_id)
    if number is None:
        taking = Taking(clock.now(), str(caller.subject), letter_id=letter_id)
        series = Series(agency, template.book, parts.day.year)
        await store.take(session, series, [uuid7()], taking)
        number = await store.of_letter(session, letter_id)
    if number is None:
        raise RuntimeError("a number that was just taken is not in the register")
    return number, written(template.pattern, _with_number(parts, number.n))


def _with_number(parts: NumberParts, n: int) -> NumberParts:
    return NumberParts(parts.classification, n, parts.unit, parts.security, parts.day)


async def take_agenda(
    session: AsyncSession, clock: Clock, *, caller: Caller, book: str, year: int, letter_id: UUID
) -> str:
    """The next number of an agenda, issued at once: `41/2026`. Raises `MayNotNumber`."""
    if caller.agency is None:
        raise MayNotNumber("Only an agency keeps an agenda.")
    taking = Taking(clock.now(), str(caller.subject), letter_id=letter_id)
    n = await store.take_agenda(session, Series(caller.agency, book, year), uuid7(), taking)
    return f"{n}/{year}"


async def issue_number(
    session: AsyncSession, clock: Clock, *, caller: Caller, letter_id: UUID, text: str
) -> Number:
    """The letter carries its number for good. Raises `NumberUnknown`, `NumberSettled`."""
    number = await store.of_letter(session, letter_id)
    if number is None:
        raise NumberUnknown("Take a number for the letter first.")
    _require_open(number)
    number.text = text
    return await _settle(session, clock, caller, number, ISSUED)


async def void_number(
    session: AsyncSession, clock: Clock, *, caller: Caller, number_id: UUID, reason: str
) -> Number:
    """For a number of a block that nobody used. Raises `MayNotNumber`, `NumberUnknown`,
    `NumberSettled`.
    """
    _agency_of(caller)
    number = await store.lock(session, caller, number_id)
    if number is None:
        raise NumberUnknown("Look it up under /v1/numbers.")
    if number.letter_id is not None:
        raise NumberSettled("It belongs to a letter: cancel the letter, and its number is void.")
    _require_open(number)
    number.reason = reason
    return await _settle(session, clock, caller, number, VOID)


async def void_number_of(
    session: AsyncSession, clock: Clock, *, caller: Caller, letter_id: UUID, reason: str
) -> Number | None:
    """When a letter is cancelled; None when it had no number. Raises `NumberSettled`."""
    number = await store.of_letter(session, letter_id)
    if number is None:
        return None
    _require_open(number)
    number.reason = reason
    return await _settle(session, clock, caller, number, VOID)


def _require_open(number: Number) -> None:
    if number.state != RESERVED:
        raise NumberSettled("What became of a number is never changed.")


async def _settle(
    session: AsyncSession, clock: Clock, caller: Caller, number: Number, state: State
) -> Number:
    number.state, number.settled_at = state, clock.now()
    number.settled_by = str(caller.subject)
    await session.flush()
    return number


async def reserve_block(
    session: AsyncSession, clock: Clock, *, caller: Caller, wanted: BlockCreate
) -> BlockRead:
    """Numbers for days without the platform. Raises `MayNotNumber`."""
    agency, now, block = _agency_of(caller), clock.now(), uuid7()
    series = Series(agency, wanted.book, civil_date(now).year)
    taking = Taking(now, str(caller.subject), block_id=block)
    ids = [uuid7() for _ in range(wanted.count)]
    first = await store.take(session, series, ids, taking)
    last = first + wanted.count - 1
    return BlockRead(
        id=block, agency=agency, book=wanted.book, year=series.year, first=first, last=last
    )


async def list_numbers(
    session: AsyncSession, *, caller: Caller, book: str, year: int, after: int, limit: int
) -> Sequence[Number]:
    return await store.page(session, caller, book, year, after, limit)
