"""HTTP of X-Road's metaservices, at the paths X-Road's clients use."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from sebalai_shared.caller import IdentifiedAccess
from sebalai_shared.database import Transaction
from sebalai_shared.problems import responses

from sebalai_exchange.inputs import INPUT
from sebalai_exchange.metaservices import actions
from sebalai_exchange.metaservices.actions import NotAConsumer, ServiceUnknown
from sebalai_exchange.metaservices.schema import ClientList, ServiceList

router = APIRouter(tags=["metaservices"], responses=INPUT)

BASE = "/r1/{instance}/{group}/{agency}/{application}"
Code = Annotated[str, Path(pattern="^[A-Z0-9-]{1,20}$")]
Slug = Annotated[str, Path(pattern="^[a-z0-9-]{1,40}$")]


async def _provider(instance: Code, group: Code, agency: Slug, application: Slug) -> str:
    return f"{instance}/{group}/{agency}/{application}"


Provider = Annotated[str, Depends(_provider)]


@router.get("/listClients")
async def list_clients(
    request: Request,
    _caller: IdentifiedAccess,
    session: Transaction,
    instance: Annotated[str | None, Query(alias="xRoadInstance", max_length=40)] = None,
) -> ClientList:
    """Of this instance; of another none are known."""
    is_ours = instance in (None, request.app.state.settings.instance)
    return await actions.list_clients(session) if is_ours else ClientList(member=[])


@router.get(f"{BASE}/listMethods")
async def list_methods(
    _caller: IdentifiedAccess, session: Transaction, provider: Provider
) -> ServiceList:
    return await actions.list_methods(session, provider=provider)


@router.get(f"{BASE}/allowedMethods")
async def allowed_methods(
    request: Request, caller: IdentifiedAccess, session: Transaction, provider: Provider
) -> ServiceList:
    clock = request.app.state.clock
    return await actions.allowed_methods(session, clock, caller=caller, provider=provider)


@router.get(f"{BASE}/getOpenAPI", responses=responses(ServiceUnknown, NotAConsumer))
async def get_open_api(
    request: Request,
    caller: IdentifiedAccess,
    session: Transaction,
    provider: Provider,
    service_code: Annotated[str, Query(alias="serviceCode", pattern="^[a-z0-9-]{1,40}$")],
) -> Response:
    """The contract in force, its servers replaced by the gateway's address of the interface."""
    name = f"{provider}/{service_code}"
    document = await actions.open_api(session, request.app.state.clock, caller=caller, name=name)
    return Response(document, media_type="application/json")
