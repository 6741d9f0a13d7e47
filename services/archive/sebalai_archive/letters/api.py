"""HTTP of letter types: `/v1/letter-types`."""

from fastapi import APIRouter
from sebalai_shared.caller import PublicAccess
from sebalai_shared.database import Transaction
from sebalai_shared.pagination import BadCursor, Limit, Page, page
from sebalai_shared.problems import responses

from sebalai_archive.letters import actions
from sebalai_archive.letters.model import LetterType
from sebalai_archive.letters.schema import LetterTypeRead
from sebalai_archive.paging import AfterPosition
from sebalai_archive.provenance import ProvenanceRead

router = APIRouter(prefix="/v1/letter-types", tags=["letters"])


def _read(row: LetterType) -> LetterTypeRead:
    return LetterTypeRead(
        code=row.code,
        name=row.name,
        group=row.group,
        subgroup=row.subgroup,
        provenance=ProvenanceRead.of(row),
    )


@router.get("", responses=responses(BadCursor))
async def list_letter_types(
    caller: PublicAccess, session: Transaction, after: AfterPosition, limit: Limit = 20
) -> Page[LetterTypeRead]:
    rows = await actions.list_letter_types(session, caller=caller, after=after, limit=limit)
    return page(rows, limit, _read, lambda row: [row.position])
