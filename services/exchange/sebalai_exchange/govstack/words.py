"""GovStack's wire shapes. Its tests and its definition name the same things differently; which of
them a program reads is told by the header it names itself with (docs/protocols/govstack.md, 2).
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Words(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")


class Endpoint(Words):
    method: str
    path: str


class EndpointList(Words):
    member: list[Endpoint]


class ApplicationId(Words):
    """As the definition names an application."""

    instance_id: str
    member_class: str
    member_code: str
    application_code: str


class ListedId(ApplicationId):
    object_type: Literal["APPLICATION"] = "APPLICATION"


class ListedClient(Words):
    name: str
    id: ListedId


class ListedService(ApplicationId):
    object_type: Literal["SERVICE"] = "SERVICE"
    service_type: str
    service_code: str
    endpoint_list: EndpointList


class ClientListed(Words):
    member: list[ListedClient]


class ServicesListed(Words):
    member: list[ListedService]


class TestedType(Words):
    object_type: Literal["SUBSYSTEM", "SERVICE"] = Field(serialization_alias="object_type")


class TestedClient(Words):
    """As the tests name an application, in every list alike."""

    object_type: TestedType
    gov_stack_instance: str = Field(serialization_alias="GovStackInstance")
    member_class: str
    member_code: str
    application_code: str


class TestedService(TestedClient):
    service_type: str
    service_code: str
    endpoint_list: EndpointList


class ClientsTested(Words):
    member: list[TestedClient]


class ServicesTested(Words):
    member: list[TestedService]
