"""HTTP of the API catalogue's list: `/v1/apis`, public and searchable."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict
from sebalai_shared.caller import PublicAccess
from sebalai_shared.database import Transaction
from sebalai_shared.pagination import BadCursor, CursorText, Limit, Page, page
from sebalai_shared.problems import FieldInvalid, responses

from sebalai_services_catalog.apis import actions
from sebalai_services_catalog.apis.actions import ApiFilter, ApiUnknown
from sebalai_services_catalog.apis.model import Kind, Lifecycle
from sebalai_services_catalog.cursors import texts_of
from sebalai_services_catalog.sparse import Fields, Sparse

router = APIRouter(prefix="/v1/apis", tags=["apis"], route_class=Sparse)

NAME_LENGTH_MAX = 300
WORDS_MAX = 8

Q = Annotated[str, Query(max_length=100, pattern=r"^[^\x00]*$", description="must all occur")]
Agency = Annotated[str | None, Query(pattern=r"^[a-z0-9-]{1,40}$")]
Name = Annotated[str, Path(max_length=NAME_LENGTH_MAX, pattern=r"^[A-Za-z0-9._/-]+$")]


class ApiRead(BaseModel):
    """`ends_at` is the announced end. `calls` were answered in the last 30 days, of `consumers`
    applications in `agencies` agencies; an event's listeners are not counted.
    """

    model_config = ConfigDict(from_attributes=True)

    kind: Kind
    name: str
    agency: str
    provider: str | None
    title: str
    description: str
    lifecycle: Lifecycle
    deprecated_at: datetime | None
    ends_at: datetime | None
    successor: str | None
    data_categories: list[str]
    contract: str
    calls: int
    consumers: int
    agencies: int
    last_used_on: date | None


async def _wanted(
    q: Q = "", agency: Agency = None, kind: Kind | None = None, lifecycle: Lifecycle | None = None
) -> ApiFilter:
    return ApiFilter(tuple(q.split()[:WORDS_MAX]), agency, kind, lifecycle)


@router.get("", responses=responses(BadCursor, FieldInvalid))
async def list_apis(
    caller: PublicAccess,  # noqa: ARG001 - public
    session: Transaction,
    wanted: Annotated[ApiFilter, Depends(_wanted)],
    fields: Fields = None,  # noqa: ARG001 - taken by Sparse
    cursor: CursorText = None,
    limit: Limit = 20,
) -> Page[ApiRead]:
    """Interfaces and event types; the retired only when asked for. At most a minute old."""
    rows = await actions.list_apis(session, wanted=wanted, after=texts_of(cursor), limit=limit)
    return page(rows, limit, ApiRead.model_validate, lambda row: [row.kind, row.name])


@router.get("/{kind}/{name:path}", responses=responses(ApiUnknown, FieldInvalid))
async def read_api(
    kind: Kind,
    name: Name,
    caller: PublicAccess,  # noqa: ARG001 - public
    session: Transaction,
    fields: Fields = None,  # noqa: ARG001 - taken by Sparse
) -> ApiRead:
    return ApiRead.model_validate(await actions.find_api(session, kind=kind, name=name))
