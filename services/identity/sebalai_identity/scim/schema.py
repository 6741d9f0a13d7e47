"""SCIM resources and what the service announces (RFC 7643).

Only attributes with a use here (UU 27/2022 pasal 16: no more than the purpose needs): no address,
no photo, no certificate. No number of a person either: SCIM's filters travel in addresses, so NIK
and NIP have endpoints of their own that take them by body.
"""

from datetime import datetime
from functools import cache
from typing import Annotated, Any, ClassVar

from pydantic import Field
from scim2_models import (
    URN,
    AuthenticationScheme,
    Bulk,
    CaseExact,
    ChangePassword,
    ComplexAttribute,
    Email,
    ETag,
    Extension,
    Filter,
    GroupMembership,
    Mutability,
    Name,
    Patch,
    PhoneNumber,
    Reference,
    Required,
    Resource,
    ResourceType,
    ScimProvider,
    ServiceProviderConfig,
    Sort,
    Uniqueness,
)

RESULTS_MAX = 200
OPERATIONS_MAX = 100
BULK_BYTES_MAX = 512 * 1024

_ReadOnly = Mutability.read_only


class PostingShown(ComplexAttribute):
    """A posting of the user; recorded under /v1/postings, where its decree is."""

    value: Annotated[str | None, _ReadOnly, CaseExact.true] = None
    position: Annotated[str | None, _ReadOnly] = None
    title: Annotated[str | None, _ReadOnly] = None
    agency: Annotated[str | None, _ReadOnly] = None
    kind: Annotated[str | None, _ReadOnly] = None
    valid_from: Annotated[datetime | None, _ReadOnly] = None
    valid_until: Annotated[datetime | None, _ReadOnly] = None


class CivilServant(Extension):
    """The user as a civil servant. `unit` is the HR system's word; all else is the platform's."""

    __schema__ = URN("urn:sebalai:params:scim:schemas:extension:civilservant:1.0:User")

    unit: str | None = None
    employment: Annotated[str | None, _ReadOnly] = None
    grade: Annotated[str | None, _ReadOnly] = None
    agency: Annotated[str | None, _ReadOnly] = None
    postings: Annotated[list[PostingShown] | None, _ReadOnly] = None


class User(Resource[Any]):
    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:User")

    user_name: Annotated[str | None, Uniqueness.server, Required.true] = None
    name: Name | None = None
    display_name: str | None = None
    title: str | None = None
    preferred_language: str | None = None
    active: bool | None = None
    emails: list[Email] | None = None
    phone_numbers: list[PhoneNumber] | None = None
    groups: Annotated[list[GroupMembership] | None, _ReadOnly] = None

    Name: ClassVar[type[ComplexAttribute]] = Name
    Emails: ClassVar[type[ComplexAttribute]] = Email
    PhoneNumbers: ClassVar[type[ComplexAttribute]] = PhoneNumber
    Groups: ClassVar[type[ComplexAttribute]] = GroupMembership


class Member(ComplexAttribute):
    value: Annotated[str | None, Mutability.immutable, CaseExact.true] = None
    ref: Annotated[Reference["User"] | None, Mutability.immutable] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    type: Annotated[str | None, Mutability.immutable] = Field(None, examples=["User"])


class Group(Resource[Any]):
    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:Group")

    display_name: Annotated[str | None, Required.true] = None
    members: list[Member] | None = None

    Members: ClassVar[type[ComplexAttribute]] = Member


@cache
def scim_provider() -> ScimProvider:
    config = ServiceProviderConfig(
        patch=Patch(supported=True),
        bulk=Bulk(supported=True, max_operations=OPERATIONS_MAX, max_payload_size=BULK_BYTES_MAX),
        filter=Filter(supported=True, max_results=RESULTS_MAX),
        change_password=ChangePassword(supported=False),
        sort=Sort(supported=True),
        etag=ETag(supported=True),
        authentication_schemes=[
            AuthenticationScheme(
                type=AuthenticationScheme.Type.oauthbearertoken,
                name="OAuth 2.0 access token",
                description="Of this platform, with scope identity.scim",
            )
        ],
    )
    users = ResourceType.from_resource(User[CivilServant])  # pyright: ignore[reportInvalidTypeArguments] - scim2-models takes them at run time
    return ScimProvider(
        models=[User, CivilServant, Group],
        resource_types=[users, ResourceType.from_resource(Group)],
        config=config,
    )
