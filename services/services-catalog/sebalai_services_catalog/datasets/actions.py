"""Decisions about datasets: find, write, send for review, publish, withdraw."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.ids import uuid7
from sebalai_shared.outbox import publish
from sebalai_shared.problems import Conflict, FieldInvalid, Forbidden, NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_services_catalog.datasets import events, store
from sebalai_services_catalog.datasets.access import (
    DECIDE,
    WALIDATA,
    WRITE,
    may_publish,
    may_read_draft,
    may_review,
    may_withdraw,
    may_write,
)
from sebalai_services_catalog.datasets.machine import Act, NoSuchMove, Standing, after, possible
from sebalai_services_catalog.datasets.metadata import Metadata
from sebalai_services_catalog.datasets.model import Dataset, DatasetAct
from sebalai_services_catalog.datasets.own import load_own
from sebalai_services_catalog.datasets.queries import Wanted
from sebalai_services_catalog.reference.actions import agency_names

__all__ = ["load_own"]


class DatasetUnknown(NotFound):
    slug, title = "dataset-unknown", "There is no such dataset, or it is not yours to see"


class DatasetRefused(Forbidden):
    slug, title = "dataset-act-refused", "This caller may not do this to the dataset"


class DatasetStateConflict(Conflict):
    slug, title = "dataset-state-conflict", "The dataset's state does not allow this"


class DatasetChanged(Conflict):
    slug, title = "dataset-changed", "Somebody else wrote the dataset meanwhile"


@dataclass(frozen=True, slots=True)
class Writing:
    """`revision` is the one it was written on, 0 for a new dataset."""

    agency: str
    metadata: Metadata
    revision: int


async def list_datasets(
    session: AsyncSession, *, caller: Caller, wanted: Wanted, after: str | None, limit: int
) -> Sequence[Dataset]:
    return await store.page(session, caller, wanted, after, limit)


async def search_datasets(
    session: AsyncSession, *, caller: Caller, wanted: Wanted
) -> tuple[int, Sequence[Dataset]]:
    return await store.search(session, caller, wanted)


async def count_published(session: AsyncSession, *, caller: Caller) -> int:
    count, _ = await store.search(session, caller, Wanted(rows=0))
    return count


async def count_by(
    session: AsyncSession, *, caller: Caller, wanted: Wanted, field: str, limit: int
) -> dict[str, int]:
    """How many of the datasets found have which value of `field`."""
    return await store.facet(session, caller, wanted, field, limit)


async def find_dataset(session: AsyncSession, *, caller: Caller, name: str) -> Dataset:
    """By slug or id. Raises: DatasetUnknown."""
    found = await store.find(session, caller, name)
    if found is None:
        try:
            found = await store.find_id(session, caller, UUID(name))
        except ValueError:
            found = None
    if found is None:
        raise DatasetUnknown("Look it up under /v1/datasets.")
    return found


async def read_draft(session: AsyncSession, *, caller: Caller, slug: str) -> Dataset:
    """Raises: DatasetUnknown."""
    row = await store.hold(session, slug)
    if row is None or not may_read_draft(caller, row.agency):
        raise DatasetUnknown("Look it up under /v1/datasets.")
    return row


async def list_reviews(session: AsyncSession, *, caller: Caller) -> Sequence[Dataset]:
    """Raises: DatasetRefused."""
    if not may_review(caller):
        raise DatasetRefused(f"Only the walidata ({WALIDATA}) with scope {DECIDE} may.")
    return await store.in_review(session)


async def list_acts(session: AsyncSession, *, caller: Caller, slug: str) -> Sequence[DatasetAct]:
    """Raises: DatasetUnknown."""
    row = await read_draft(session, caller=caller, slug=slug)
    return await store.acts(session, row.id)


async def write_draft(
    session: AsyncSession, clock: Clock, *, caller: Caller, slug: str, wanted: Writing
) -> Dataset:
    """A new dataset (revision 0), its draft, or the next revision of a published one.

    Raises: DatasetRefused, DatasetUnknown, DatasetChanged, DatasetStateConflict, FieldInvalid.
    """
    if not may_write(caller, wanted.agency):
        raise DatasetRefused(f"Only {wanted.agency} with scope {WRITE} may.")
    if wanted.agency not in await agency_names(session):
        raise FieldInvalid("/agency", "There is no such agency.")
    row = None
    if wanted.revision == 0:
        row = await _begin(session, clock, caller, slug, wanted)
    return row or await _write_on(session, clock, caller, slug, wanted)


async def _begin(
    session: AsyncSession, clock: Clock, caller: Caller, slug: str, wanted: Writing
) -> Dataset | None:
    """None when the slug is taken."""
    now, dataset_id = clock.now(), uuid7()
    values = {
        "id": dataset_id,
        "slug": slug,
        "agency": wanted.agency,
        "state": "draft",
        "revision": 1,
        "draft": wanted.metadata.model_dump(mode="json"),
        "author": str(caller.subject),
        "created_at": now,
        "changed_at": now,
    }
    if not await store.claim(session, values):
        return None
    return await session.get_one(Dataset, dataset_id)


async def _write_on(
    session: AsyncSession, clock: Clock, caller: Caller, slug: str, wanted: Writing
) -> Dataset:
    row = await store.hold(session, slug)
    if row is None or not may_read_draft(caller, row.agency):
        raise DatasetUnknown("A new dataset begins with revision 0; a taken name stays taken.")
    if row.agency != wanted.agency:
        raise FieldInvalid("/agency", "A dataset stays with its agency.")
    if row.revision != wanted.revision:
        raise DatasetChanged(
            f"{row.author} wrote revision {row.revision}. Read it and write on that one.",
            revision=row.revision, changed_by=row.author, changed_at=row.changed_at.isoformat(),
        )  # fmt: skip
    if row.state == "published":
        _record(session, clock, row, "revise", caller)
    if row.state != "draft":
        raise DatasetStateConflict(
            f"It cannot be written while {row.state}.", possible=possible(row.standing)
        )
    row.draft = wanted.metadata.model_dump(mode="json")
    row.revision, row.author, row.submitted_by = row.revision + 1, str(caller.subject), None
    row.changed_at = clock.now()
    await session.flush()
    return row


async def move_dataset(
    session: AsyncSession,
    clock: Clock,
    *,
    caller: Caller,
    slug: str,
    act: Act,
    reason: str | None = None,
) -> Dataset:
    """Raises: DatasetUnknown, DatasetRefused, DatasetStateConflict."""
    row = await read_draft(session, caller=caller, slug=slug)
    _allow(caller, row, act)
    _record(session, clock, row, act, caller, reason)
    row.changed_at = clock.now()
    if act == "submit":
        row.submitted_by = str(caller.subject)
    row.note = reason if act in ("reject", "withdraw") else None
    if act == "publish":
        row.shown, row.modified_at = row.draft, clock.now()
        row.published_at = row.published_at or clock.now()
        row.published_by = str(caller.subject)
    if act == "withdraw":
        row.shown, row.modified_at = None, None
    await session.flush()
    await _tell(session, clock, row, act)
    return row


def _allow(caller: Caller, row: Dataset, act: Act) -> None:
    """Raises: DatasetRefused."""
    if act == "publish" and may_review(caller) and not may_publish(caller, _hands(row)):
        raise DatasetRefused("Who wrote or sent it cannot publish it; another officer may.")
    allowed = {
        "submit": may_write(caller, row.agency),
        "reject": may_review(caller),
        "publish": may_publish(caller, _hands(row)),
        "withdraw": may_withdraw(caller, row.agency),
    }
    if not allowed.get(act):
        who = row.agency if act == "submit" else f"the walidata ({WALIDATA})"
        raise DatasetRefused(f"Only {who} may, with the scope for it.")


def _hands(row: Dataset) -> tuple[str | None, ...]:
    return (row.author, row.submitted_by)


def _record(
    session: AsyncSession,
    clock: Clock,
    row: Dataset,
    act: Act,
    caller: Caller,
    reason: str | None = None,
) -> Standing:
    """Moves the row by one act and writes down who did it. Raises: DatasetStateConflict."""
    before = row.standing
    try:
        now = after(before, act)
    except NoSuchMove as error:
        raise DatasetStateConflict(f"{error}.", possible=error.possible) from error
    row.state = now.state
    session.add(
        DatasetAct(
            id=uuid7(),
            dataset_id=row.id,
            act=act,
            state_before=before.state,
            state_after=now.state,
            actor=str(caller.subject),
            at=clock.now(),
            reason=reason,
        )
    )
    return now


async def _tell(session: AsyncSession, clock: Clock, row: Dataset, act: Act) -> None:
    kind = {"publish": events.PUBLISHED, "withdraw": events.REMOVED}.get(act)
    if kind is not None:
        fact = events.DatasetMoved(
            dataset_id=row.id, slug=row.slug, agency=row.agency, revision=row.revision
        )
        await publish(session, events.moved(kind, fact, clock.now()))
