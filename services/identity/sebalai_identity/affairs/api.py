"""HTTP of government affairs: `/v1/affairs`, open to everyone."""

from fastapi import APIRouter
from sebalai_shared.caller import PublicAccess
from sebalai_shared.database import Transaction
from sebalai_shared.pagination import CursorText, Limit, Page, decode_cursor, page

from sebalai_identity.affairs import actions
from sebalai_identity.affairs.model import Affair
from sebalai_identity.affairs.schema import AffairRead
from sebalai_identity.reference import Provenance

router = APIRouter(prefix="/v1/affairs", tags=["affairs"])


def _read(row: Affair) -> AffairRead:
    provenance = Provenance(status=row.status, source=row.source)
    return AffairRead(code=row.code, name=row.name, group=row.affair_group, provenance=provenance)


@router.get("")
async def list_affairs(
    caller: PublicAccess, session: Transaction, cursor: CursorText = None, limit: Limit = 20
) -> Page[AffairRead]:
    after = decode_cursor(cursor, 1)
    rows = await actions.list_affairs(
        session, caller=caller, after=str(after[0]) if after else None, limit=limit
    )
    return page(rows, limit, _read, lambda row: [row.code])
