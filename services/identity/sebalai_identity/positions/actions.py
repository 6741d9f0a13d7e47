"""Decisions about positions: establish, abolish, find. Who holds one is `postings`' matter."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sebalai_shared.caller import Caller
from sebalai_shared.ids import uuid7
from sebalai_shared.problems import Conflict, FieldInvalid, NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.acts.actions import tell
from sebalai_identity.agencies.actions import require_in_force
from sebalai_identity.desk import Desk
from sebalai_identity.names import slug_of
from sebalai_identity.persons.actions import require_keeper
from sebalai_identity.positions import events, heads, store
from sebalai_identity.positions.model import Position
from sebalai_identity.positions.schema import PositionEstablish
from sebalai_identity.positions.store import PositionFilter
from sebalai_identity.reference import Counts, ReferenceFolder
from sebalai_identity.rows import insert_once
from sebalai_identity.wording import Ending, end_of, require_period

__all__ = ["PositionEstablish", "PositionFilter"]


FILE = "agencies.csv"
ELECTED = "kepala_daerah"


class PositionUnknown(NotFound):
    slug, title = "position-unknown", "There is no such position"


class PositionKnown(Conflict):
    slug, title = "position-known", "The agency has a position with this code"


class TooManyPositions(Conflict):
    slug, title = "too-many-positions", "The agency has more positions than can end at once"


@dataclass(frozen=True, slots=True)
class KnownPosition:
    id: UUID
    agency: str
    code: str
    title: str
    kind: str
    supervisor_id: UUID | None
    valid_from: datetime
    valid_until: datetime | None

    @property
    def is_elected(self) -> bool:
        """A regional head's: held by whoever was elected, not by a civil servant."""
        return self.kind == ELECTED


def _known(row: Position) -> KnownPosition:
    names = KnownPosition.__dataclass_fields__
    return KnownPosition(**{name: getattr(row, name) for name in names})


async def known_positions(
    session: AsyncSession, ids: Collection[UUID]
) -> dict[UUID, KnownPosition]:
    """For slices of identity."""
    if not ids:
        return {}
    return {row.id: _known(row) for row in await store.by_ids(session, ids)}


async def establish(
    session: AsyncSession, desk: Desk, *, wanted: PositionEstablish, source: str = "desk"
) -> Position:
    """Raises `PeopleOnly`, `AgencyUnknown`, `FieldInvalid`, `PositionKnown`."""
    require_keeper(desk.caller)
    await require_in_force(session, slug=wanted.agency, on=desk.today)
    require_period(wanted.valid_from, wanted.valid_until)
    above = wanted.supervisor_id
    if above is not None and not await store.by_ids(session, [above]):
        raise FieldInvalid("/supervisor_id", "There is no such position.")
    row = Position(id=uuid7(), source=source, changed_at=desk.now, **wanted.model_dump())
    await insert_once(session, row, PositionKnown("Look it up under /v1/positions?agency=…"))
    await tell(session, desk, kind=events.ESTABLISHED, subject=str(row.id), data=_data(row))
    return row


def _data(row: Position) -> dict[str, object]:
    return {"position_id": str(row.id), "agency": row.agency, "code": row.code}


async def load_positions(session: AsyncSession, desk: Desk, *, folder: ReferenceFolder) -> Counts:
    """The heads of agencies that are not there yet; what is there is left as it is."""
    inserted: list[str] = []
    found = heads.heads(folder.rows(FILE))
    for head in found:
        slug = slug_of(head.short_name)
        if await store.of_code(session, slug, heads.CODE) is not None:
            continue
        wanted = PositionEstablish.model_validate(
            {
                "agency": slug,
                "code": heads.CODE,
                "title": head.title,
                "kind": head.kind,
                "eselon": head.eselon,
                "decree": heads.DECREE,
                "valid_from": heads.SINCE,
            }
        )
        await establish(session, desk, wanted=wanted, source=heads.SOURCE)
        inserted.append(f"{slug}/{heads.CODE}")
    return Counts(tuple(inserted), 0, len(found) - len(inserted))


async def abolish(
    session: AsyncSession, desk: Desk, *, position_id: UUID, ending: Ending
) -> Position:
    """Every authority that rests on it ends then. Raises `PeopleOnly`, `PositionUnknown`."""
    require_keeper(desk.caller)
    row = await store.lock(session, position_id)
    if row is None:
        raise PositionUnknown("Look it up under /v1/positions.")
    at = max(end_of(ending, desk.now), row.valid_from)
    if row.valid_until is None or at < row.valid_until:
        row.valid_until, row.changed_at, row.end_reason = at, desk.now, ending.reason
        await session.flush()
        await tell(session, desk, kind=events.ABOLISHED, subject=str(row.id), data=_data(row))
    return row


async def positions_going_on(session: AsyncSession, agency: str, at: datetime) -> Sequence[UUID]:
    """Raises `TooManyPositions`: one transaction ends no more."""
    rows = await store.of_agency(session, agency, at)
    if len(rows) > store.OF_AGENCY_ROWS:
        raise TooManyPositions(f"More than {store.OF_AGENCY_ROWS}; abolish some first.")
    return [row.id for row in rows]


async def show(session: AsyncSession, *, caller: Caller, position_id: UUID) -> Position:
    """Raises `PositionUnknown`."""
    row = await store.visible(session, caller, position_id)
    if row is None:
        raise PositionUnknown("Look it up under /v1/positions.")
    return row


async def list_positions(
    session: AsyncSession, *, caller: Caller, wanted: PositionFilter, after: UUID | None, limit: int
) -> Sequence[Position]:
    return await store.page(session, caller, wanted, after, limit)
