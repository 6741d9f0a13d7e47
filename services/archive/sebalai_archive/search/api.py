"""HTTP of search: `/v1/search`."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from sebalai_shared.caller import PublicAccess
from sebalai_shared.database import Transaction
from sebalai_shared.pagination import Limit

from sebalai_archive.search import actions
from sebalai_archive.search.schema import QUERY_LENGTH_MAX, SearchRead

router = APIRouter(prefix="/v1/search", tags=["search"])


@router.get("")
async def search_records(
    request: Request,
    caller: PublicAccess,
    session: Transaction,
    q: Annotated[
        str, Query(min_length=2, max_length=QUERY_LENGTH_MAX, pattern=r"^[^\x00-\x1f\x7f]*$")
    ],
    limit: Limit = 20,
) -> SearchRead:
    """Words are stemmed (dimusnahkan finds pemusnahan); "in quotes" they are taken as they stand;
    numbers and titles are found in spite of a typing error.
    """
    clock = request.app.state.clock
    return await actions.search_records(session, clock, caller=caller, query=q, limit=limit)
