"""HTTP of the metaservices in GovStack's words, over the same catalogue as X-Road's."""

from typing import Annotated

import orjson
from fastapi import APIRouter, Header, Query, Request, Response
from sebalai_shared.caller import IdentifiedAccess
from sebalai_shared.database import Transaction
from sebalai_shared.problems import responses

from sebalai_exchange.govstack import words
from sebalai_exchange.govstack.provider import BASE, INPUT, GovStackRoute, Provider
from sebalai_exchange.metaservices import actions
from sebalai_exchange.metaservices.actions import Client, NotAConsumer, Service, ServiceUnknown
from sebalai_exchange.names import NAME_LENGTH_MAX, SLUG

router = APIRouter(
    prefix="/govstack", tags=["govstack"], responses=INPUT, route_class=GovStackRoute
)

JSON = "application/json; charset=utf-8"
# Who sends it was written from the definition; the header of the tests is called otherwise.
OfDefinition = Annotated[str | None, Header(alias="X-GovStack-Client", max_length=NAME_LENGTH_MAX)]
ServiceId = Annotated[str | None, Query(alias="serviceId", max_length=NAME_LENGTH_MAX)]
Clients = words.ClientListed | words.ClientsTested
Services = words.ServicesListed | words.ServicesTested


def _said(answer: Clients | Services) -> Response:
    """Its tests hold the content type to the letter."""
    return Response(answer.model_dump_json(by_alias=True), media_type=JSON)


@router.get("/listClients", response_model=Clients)
async def list_clients(
    request: Request,
    _caller: IdentifiedAccess,
    session: Transaction,
    instance_id: Annotated[str | None, Query(alias="instanceId", max_length=40)] = None,
    of_definition: OfDefinition = None,
) -> Response:
    """Of this instance; of another none are known."""
    is_ours = instance_id in (None, request.app.state.settings.instance)
    found = (await actions.list_clients(session)).member if is_ours else []
    if of_definition is None:
        return _said(words.ClientsTested(member=[_tested(one) for one in found]))
    return _said(words.ClientListed(member=[_listed(one) for one in found]))


@router.get(f"{BASE}/listMethods", response_model=Services)
async def list_methods(
    _caller: IdentifiedAccess,
    session: Transaction,
    provider: Provider,
    service_id: ServiceId = None,
    of_definition: OfDefinition = None,
) -> Response:
    found = (await actions.list_methods(session, provider=provider)).service
    return _services(found, service_id, of_definition)


@router.get(f"{BASE}/allowedMethods", response_model=Services)
async def allowed_methods(
    request: Request,
    caller: IdentifiedAccess,
    session: Transaction,
    provider: Provider,
    service_id: ServiceId = None,
    of_definition: OfDefinition = None,
) -> Response:
    clock = request.app.state.clock
    found = await actions.allowed_methods(session, clock, caller=caller, provider=provider)
    return _services(found.service, service_id, of_definition)


@router.get(
    f"{BASE}/getOpenAPI",
    response_model=str,
    responses=responses(ServiceUnknown, NotAConsumer),
)
async def get_open_api(
    request: Request,
    caller: IdentifiedAccess,
    session: Transaction,
    provider: Provider,
    service_code: Annotated[str, Query(alias="serviceCode", pattern=f"^{SLUG}$")],
) -> Response:
    """The contract in force as a text within JSON: so tests and definition both have it."""
    name = f"{provider}/{service_code}"
    document = await actions.open_api(session, request.app.state.clock, caller=caller, name=name)
    return Response(orjson.dumps(document), media_type=JSON)


def _services(found: list[Service], service_id: str | None, definition: str | None) -> Response:
    """All services, or the one that is asked for."""
    chosen = [one for one in found if service_id in (None, one.service_code)]
    if definition is None:
        return _said(words.ServicesTested(member=[_tested_service(one) for one in chosen]))
    return _said(words.ServicesListed(member=[_listed_service(one) for one in chosen]))


def _endpoints(one: Service) -> words.EndpointList:
    pairs = [words.Endpoint(method=e.method, path=e.path) for e in one.endpoint_list]
    return words.EndpointList(member=pairs)


def _listed(one: Client) -> words.ListedClient:
    identifier = words.ListedId(
        instance_id=one.id.xroad_instance,
        member_class=one.id.member_class,
        member_code=one.id.member_code,
        application_code=one.id.subsystem_code,
    )
    return words.ListedClient(name=one.name, id=identifier)


def _listed_service(one: Service) -> words.ListedService:
    return words.ListedService(
        instance_id=one.xroad_instance,
        member_class=one.member_class,
        member_code=one.member_code,
        application_code=one.subsystem_code,
        service_type=one.service_type,
        service_code=one.service_code,
        endpoint_list=_endpoints(one),
    )


def _tested(one: Client) -> words.TestedClient:
    return words.TestedClient(
        object_type=words.TestedType(object_type=one.id.object_type),
        gov_stack_instance=one.id.xroad_instance,
        member_class=one.id.member_class,
        member_code=one.id.member_code,
        application_code=one.id.subsystem_code,
    )


def _tested_service(one: Service) -> words.TestedService:
    return words.TestedService(
        object_type=words.TestedType(object_type=one.object_type),
        gov_stack_instance=one.xroad_instance,
        member_class=one.member_class,
        member_code=one.member_code,
        application_code=one.subsystem_code,
        service_type=one.service_type,
        service_code=one.service_code,
        endpoint_list=_endpoints(one),
    )
