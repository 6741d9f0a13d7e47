"""What exists and what the caller may use of it, told as X-Road's metaservices tell it.

Owns their shape. Does not own interfaces or agreements: both are asked.
"""

import json
import re
from collections.abc import Sequence

from sebalai_shared.caller import Caller
from sebalai_shared.clock import Clock
from sebalai_shared.problems import Forbidden, NotFound
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_exchange.agreements.actions import consumers_known, rules_in_force
from sebalai_exchange.interfaces.actions import (
    ActiveInterface,
    active_interfaces,
    providers_known,
    served_contract,
)
from sebalai_exchange.metaservices.schema import (
    Client,
    ClientId,
    ClientList,
    Endpoint,
    Service,
    ServiceList,
)

__all__ = ["Client", "Service"]

_PARAMETER = re.compile(r"\{[^{}/]*\}")


class ServiceUnknown(NotFound):
    slug, title = "interface-unknown", "There is no such interface"


class NotAConsumer(Forbidden):
    slug, title = "agreement-missing", "Only who has an agreement is served this"


async def list_clients(session: AsyncSession) -> ClientList:
    """Every application that offers an interface or takes part in an agreement."""
    known = {*await providers_known(session), *await consumers_known(session)}
    return ClientList(member=[_client(name) for name in sorted(known)])


def _client(name: str) -> Client:
    instance, group, agency, application = name.split("/")
    identifier = ClientId(
        xroad_instance=instance,
        member_class=group,
        member_code=agency,
        subsystem_code=application,
    )
    return Client(id=identifier, name=agency)


async def list_methods(session: AsyncSession, *, provider: str) -> ServiceList:
    """All interfaces of an application, each with the operations of its contract."""
    return ServiceList(
        service=[
            _service(one.name, _operations(one.outline))
            for one in await active_interfaces(session, provider=provider)
        ]
    )


async def allowed_methods(
    session: AsyncSession, clock: Clock, *, caller: Caller, provider: str
) -> ServiceList:
    """Of those, what the caller's agreements in force allow: their rules."""
    rules = await rules_in_force(
        session, clock, consumer=caller.application or "", provider=provider
    )
    offered = await active_interfaces(session, provider=provider)
    return ServiceList(
        service=[
            _service(one.name, [Endpoint(method=m, path=p) for m, p in rules[one.name]])
            for one in offered
            if one.name in rules
        ]
    )


def _service(name: str, endpoints: Sequence[Endpoint]) -> Service:
    instance, group, agency, application, interface = name.split("/")
    return Service(
        xroad_instance=instance,
        member_class=group,
        member_code=agency,
        subsystem_code=application,
        service_code=interface,
        endpoint_list=list(endpoints),
    )


def _operations(outline: str | None) -> list[Endpoint]:
    """A path parameter is `*`, as X-Road's endpoints have it."""
    return [
        Endpoint(method=method, path=_PARAMETER.sub("*", path))
        for method, path, _ in json.loads(outline or "[]")
    ]


async def open_api(session: AsyncSession, clock: Clock, *, caller: Caller, name: str) -> str:
    """The contract with the gateway's address. Raises `ServiceUnknown`, `NotAConsumer`."""
    provider = name.rpartition("/")[0]
    offered = {one.name: one for one in await active_interfaces(session, provider=provider)}
    if name not in offered:
        raise ServiceUnknown(f"{provider} offers no such interface; see listMethods.")
    if not await _may_read(session, clock, caller, offered[name]):
        raise NotAConsumer("Ask for an agreement: POST /api/exchange/v1/agreements.")
    served = await served_contract(session, interface_id=offered[name].id)
    if served is None:
        raise ServiceUnknown("This interface was published before; publish it again.")
    return served


async def _may_read(
    session: AsyncSession, clock: Clock, caller: Caller, offered: ActiveInterface
) -> bool:
    if caller.is_operator or caller.application == offered.provider:
        return True
    consumer = caller.application or ""
    rules = await rules_in_force(session, clock, consumer=consumer, provider=offered.provider)
    return offered.name in rules
