"""HTTP of several requests at once: `/v1/requests/batch`, for who was told of changes."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel
from sebalai_shared.caller import IdentifiedAccess
from sebalai_shared.database import Transaction
from sebalai_shared.problems import FieldInvalid, responses

from sebalai_services_catalog.calendar.actions import calendars
from sebalai_services_catalog.now import Now
from sebalai_services_catalog.requests import actions
from sebalai_services_catalog.requests.readings import request_read
from sebalai_services_catalog.requests.schema import RequestRead
from sebalai_services_catalog.sparse import SPARSE, Private

router = APIRouter(prefix="/v1/requests/batch", tags=["requests"], route_class=Private)

BATCH_MAX = 20
"""Each may hold some eighty kilobytes of answers."""

Ids = Annotated[list[UUID], Query(alias="id", min_length=1, max_length=BATCH_MAX)]


class RequestBatch(BaseModel):
    """`missing` are those there are not, or not for this caller to see."""

    items: list[RequestRead]
    missing: list[UUID]


@router.get("", dependencies=SPARSE, responses=responses(FieldInvalid))
async def read_batch(
    caller: IdentifiedAccess, session: Transaction, clock: Now, ids: Ids
) -> RequestBatch:
    """Each once, in the order asked."""
    wanted = list(dict.fromkeys(ids))
    found = await actions.find_requests(session, caller=caller, keys=wanted)
    known, now = await calendars(session), clock.now()
    items = [request_read(*found[key], known, now) for key in wanted if key in found]
    return RequestBatch(items=items, missing=[key for key in wanted if key not in found])
