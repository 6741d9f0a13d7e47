"""HTTP of classification codes: `/v1/classifications`."""

from typing import Annotated

from fastapi import APIRouter, Query
from sebalai_shared.caller import PublicAccess
from sebalai_shared.database import Transaction
from sebalai_shared.pagination import BadCursor, CursorText, Limit, Page, decode_cursor, page
from sebalai_shared.problems import responses

from sebalai_archive.classifications import actions
from sebalai_archive.classifications.actions import ClassificationUnknown
from sebalai_archive.classifications.model import Classification
from sebalai_archive.classifications.schema import ClassificationRead
from sebalai_archive.codes import Code, after_code
from sebalai_archive.provenance import ProvenanceRead

router = APIRouter(prefix="/v1/classifications", tags=["classifications"])


def _read(row: Classification) -> ClassificationRead:
    return ClassificationRead(
        code=row.code, name=row.name, parent=row.parent, provenance=ProvenanceRead.of(row)
    )


@router.get("", responses=responses(BadCursor))
async def list_classifications(
    caller: PublicAccess,
    session: Transaction,
    parent: Annotated[Code | None, Query(description="only the codes right below this one")] = None,
    cursor: CursorText = None,
    limit: Limit = 20,
) -> Page[ClassificationRead]:
    rows = await actions.list_classifications(
        session,
        caller=caller,
        parent=parent,
        after=after_code(decode_cursor(cursor, 1)),
        limit=limit,
    )
    return page(rows, limit, _read, lambda row: [row.code])


@router.get("/{code}", responses=responses(ClassificationUnknown))
async def read_classification(
    code: Code, caller: PublicAccess, session: Transaction
) -> ClassificationRead:
    return _read(await actions.find_classification(session, caller=caller, code=code))
