"""HTTP of places: `/v1/places`, public: where in the province there are service points."""

from fastapi import APIRouter
from sebalai_shared.caller import PublicAccess
from sebalai_shared.database import Transaction

from sebalai_services_catalog.conditional import Conditional
from sebalai_services_catalog.services import store
from sebalai_services_catalog.services.readings import places_read
from sebalai_services_catalog.services.schema import PlaceRead

router = APIRouter(prefix="/v1/places", tags=["services"], route_class=Conditional)


@router.get("")
async def list_places(
    caller: PublicAccess,  # noqa: ARG001 - public
    session: Transaction,
) -> list[PlaceRead]:
    """Every kabupaten and kota with a service point, and of how many services."""
    return places_read(await store.count_places(session))
