"""Wire shapes of X-Road's metaservices (PR-MREST annex B): snake case, as its servers answer."""

from typing import Literal

from pydantic import BaseModel


class ClientId(BaseModel):
    object_type: Literal["SUBSYSTEM"] = "SUBSYSTEM"
    xroad_instance: str
    member_class: str
    member_code: str
    subsystem_code: str


class Client(BaseModel):
    id: ClientId
    name: str


class ClientList(BaseModel):
    member: list[Client]


class Endpoint(BaseModel):
    method: str
    path: str


class Service(BaseModel):
    xroad_instance: str
    member_class: str
    member_code: str
    subsystem_code: str
    service_code: str
    object_type: Literal["SERVICE"] = "SERVICE"
    service_type: Literal["OPENAPI"] = "OPENAPI"
    endpoint_list: list[Endpoint]


class ServiceList(BaseModel):
    service: list[Service]
