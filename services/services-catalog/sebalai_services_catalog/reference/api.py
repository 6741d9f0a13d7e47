"""HTTP of the reference lists: `/v1/reference/{list}`, one typed route a list."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter
from sebalai_shared.caller import PublicAccess
from sebalai_shared.database import Transaction
from sebalai_shared.pagination import BadCursor, CursorText, Limit, Page, page
from sebalai_shared.problems import responses

from sebalai_services_catalog.conditional import Conditional
from sebalai_services_catalog.cursors import position_of
from sebalai_services_catalog.reference import actions, model, schema

router = APIRouter(prefix="/v1/reference", tags=["reference"], route_class=Conditional)

LISTS: dict[str, tuple[type[model.Listed], type[schema.ListedRead]]] = {
    "audiences": (model.Audience, schema.AudienceRead),
    "rab_sectors": (model.RabSector, schema.RabSectorRead),
    "indicators": (model.Indicator, schema.IndicatorRead),
    "grade_bands": (model.GradeBand, schema.GradeBandRead),
    "skm_elements": (model.SkmElement, schema.SkmElementRead),
    "complaint_deadlines": (model.ComplaintDeadline, schema.ComplaintDeadlineRead),
}


def _route(
    table: type[model.Listed], shape: type[schema.ListedRead]
) -> Callable[..., Awaitable[Page[Any]]]:
    async def list_reference(
        caller: PublicAccess, session: Transaction, cursor: CursorText = None, limit: Limit = 20
    ) -> Page[Any]:
        rows = await actions.list_rows(
            session, caller=caller, table=table, after=position_of(cursor), limit=limit
        )
        return page(rows, limit, shape.of, lambda row: [row.position])

    return list_reference


for _name, (_table, _shape) in LISTS.items():
    router.add_api_route(
        f"/{_name}",
        _route(_table, _shape),
        response_model=Page[_shape],
        responses=responses(BadCursor),
        name=f"list_{_name}",
    )
