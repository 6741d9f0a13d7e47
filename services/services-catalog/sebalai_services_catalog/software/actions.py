"""Decisions about software: describe it, withdraw it; the platform describes itself."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.problems import Conflict, Forbidden, NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.software import store
from sebalai_services_catalog.software.access import WRITE, may_describe
from sebalai_services_catalog.software.model import Software
from sebalai_services_catalog.software.publiccode import PublicCode, document_of

OWN, OWNER, PLATFORM = "sebalai", "diskominfo", "platform"
_FILE = Path(__file__).with_name("own.toml")


class SoftwareUnknown(NotFound):
    slug, title = "software-unknown", "There is no such software in the catalogue"


class SoftwareRefused(Forbidden):
    slug, title = "software-refused", "This caller may not describe that software"


class SoftwareChanged(Conflict):
    slug, title = "software-changed", "Somebody else described it meanwhile"


@dataclass(frozen=True, slots=True)
class Described:
    """`revision` is the one it was written on, 0 for what is new or was withdrawn."""

    agency: str
    application: str | None
    revision: int
    publiccode: PublicCode


def own_publiccode() -> PublicCode:
    return PublicCode.model_validate(tomllib.loads(_FILE.read_text(encoding="utf-8")))


async def list_software(
    session: AsyncSession, *, caller: Caller, agency: str | None, after: str | None, limit: int
) -> Sequence[Software]:
    return await store.page(session, caller, agency, after, limit)


async def find_software(session: AsyncSession, *, caller: Caller, slug: str) -> Software:
    """Raises: SoftwareUnknown."""
    found = await store.find(session, caller, slug)
    if found is None:
        raise SoftwareUnknown("Look at GET /v1/software.")
    return found


async def describe_software(
    session: AsyncSession, clock: Clock, *, caller: Caller, slug: str, wanted: Described
) -> Software:
    """Writes it on the revision that was read. Raises: SoftwareRefused, SoftwareChanged."""
    _allow(caller, wanted.agency)
    await store.claim(
        session,
        {
            "slug": slug, "agency": wanted.agency, "revision": 0,
            "changed_by": str(caller.subject), "changed_at": clock.now(),
        },
    )  # fmt: skip
    row = await _held(session, caller, slug)
    read = row.revision if row.publiccode is not None else 0
    if wanted.revision != read:
        raise SoftwareChanged(f"It stands at revision {read}. Read it again.", revision=read)
    row.agency, row.application = wanted.agency, wanted.application
    row.publiccode = document_of(wanted.publiccode)
    await _touch(session, clock, row, str(caller.subject))
    return row


async def withdraw_software(
    session: AsyncSession, clock: Clock, *, caller: Caller, slug: str
) -> None:
    """It leaves the catalogue. Raises: SoftwareUnknown, SoftwareRefused."""
    await find_software(session, caller=caller, slug=slug)
    row = await _held(session, caller, slug)
    row.publiccode = None
    await _touch(session, clock, row, str(caller.subject))


async def load_own(session: AsyncSession, clock: Clock) -> int:
    """The platform's own description, unless it stands already or an officer wrote one since."""
    said = document_of(own_publiccode())
    values = {
        "slug": OWN, "agency": OWNER, "revision": 1, "publiccode": said,
        "changed_by": PLATFORM, "changed_at": clock.now(),
    }  # fmt: skip
    if await store.claim(session, values):
        return 1
    row = await store.hold(session, OWN)
    if row is None or row.changed_by != PLATFORM or row.publiccode == said:
        return 0
    row.publiccode = said
    await _touch(session, clock, row, PLATFORM)
    return 1


async def _held(session: AsyncSession, caller: Caller, slug: str) -> Software:
    row = await store.hold(session, slug)
    assert row is not None  # noqa: S101 - never deleted; claimed or found just before
    _allow(caller, row.agency)
    return row


async def _touch(session: AsyncSession, clock: Clock, row: Software, by: str) -> None:
    row.revision, row.changed_by, row.changed_at = row.revision + 1, by, clock.now()
    await session.flush()


def _allow(caller: Caller, agency: str) -> None:
    if not may_describe(caller, agency):
        raise SoftwareRefused(f"Only {agency} with scope {WRITE} may.")
