"""HTTP of civil service ranks: `/v1/ranks`, open to everyone."""

from fastapi import APIRouter
from sebalai_shared.caller import PublicAccess
from sebalai_shared.database import Transaction
from sebalai_shared.pagination import BadCursor, CursorText, Limit, Page, decode_cursor, page

from sebalai_identity.ranks import actions
from sebalai_identity.ranks.model import Rank
from sebalai_identity.ranks.schema import RankRead
from sebalai_identity.reference import Provenance

router = APIRouter(prefix="/v1/ranks", tags=["ranks"])

POSITION_MAX = 100


def _read(row: Rank) -> RankRead:
    provenance = Provenance(status=row.status, source=row.source)
    return RankRead(grade=row.grade, name=row.name, position=row.position, provenance=provenance)


def _position(cursor: str | None) -> int | None:
    after = decode_cursor(cursor, 1)
    if after is None:
        return None
    if not isinstance(after[0], int) or not 0 <= after[0] <= POSITION_MAX:
        raise BadCursor("The cursor belongs to another list.")
    return after[0]


@router.get("")
async def list_ranks(
    caller: PublicAccess, session: Transaction, cursor: CursorText = None, limit: Limit = 20
) -> Page[RankRead]:
    rows = await actions.list_ranks(session, caller=caller, after=_position(cursor), limit=limit)
    return page(rows, limit, _read, lambda row: [row.position])
