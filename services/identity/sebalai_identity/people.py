"""What people and posts bring to the member: routers, and the shapes of their events."""

from typing import Any

from fastapi import APIRouter

from sebalai_identity.acts import api as acts
from sebalai_identity.authority import api as authority
from sebalai_identity.businesses import api as businesses
from sebalai_identity.civil_servants import api as civil_servants
from sebalai_identity.client_requests import api as client_requests
from sebalai_identity.persons import api as persons
from sebalai_identity.positions import api as positions
from sebalai_identity.postings import api as postings
from sebalai_identity.registrations import api as registrations
from sebalai_identity.reorganisations import api as reorganisations
from sebalai_identity.roles import api as roles
from sebalai_identity.scim import api as scim

ROUTERS: list[APIRouter] = [
    persons.router,
    authority.router,
    civil_servants.router,
    positions.router,
    postings.router,
    roles.router,
    businesses.router,
    client_requests.router,
    registrations.router,
    reorganisations.router,
    acts.router,
    scim.router,
]

_ID = {"type": "string", "format": "uuid"}
_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_PERSON = {"person_id": _ID, "assurance": {"type": "integer"}, "by": _TEXT}
_SERVANT = {"person_id": _ID, "agency": _TEXT, "employment": _TEXT, "by": _TEXT}
_POSITION = {"position_id": _ID, "agency": _TEXT, "code": _TEXT, "by": _TEXT}
_PERIOD: dict[str, Any] = {
    "decree": _TEXT,
    "valid_from": {"type": "string", "format": "date-time"},
    "valid_until": {"type": ["string", "null"], "format": "date-time"},
    "by": _TEXT,
}
_POSTING = {"posting_id": _ID, "person_id": _ID, "position_id": _ID, "kind": _TEXT, **_PERIOD}
_DELEGATION = {
    "delegation_id": _ID,
    "from_posting_id": _ID,
    "to_posting_id": _ID,
    "kind": _TEXT,
    "matters": _TEXTS,
    **_PERIOD,
}
_CAUSE = {"cause": {"type": "string", "enum": ["ended", "cancelled", "lapsed"]}}
_ROLE: dict[str, Any] = {
    "grant_id": _ID,
    "person_id": _ID,
    "role": _TEXT,
    "agency": {"type": ["string", "null"]},
    "asked_by": _TEXT,
    **_PERIOD,
}
_BUSINESS = {"business_id": _ID, "by": _TEXT}
_REPRESENTATION: dict[str, Any] = {
    "representation_id": _ID,
    "business_id": _ID,
    "person_id": _ID,
    "capacity": _TEXT,
    **{name: shape for name, shape in _PERIOD.items() if name != "decree"},
}
_USER = {"person_id": _ID, "agency": _TEXT, "by": _TEXT}
_GROUP = {"group_id": _ID, "agency": _TEXT, "by": _TEXT}
_CLIENT: dict[str, Any] = {
    "request_id": _ID,
    "agency": _TEXT,
    "application": _TEXT,
    "asked_by": _TEXT,
    "application_id": {"type": ["string", "null"]},
    "by": _TEXT,
}
_TOKEN: dict[str, Any] = {
    "token_id": _ID,
    "agency": _TEXT,
    "registrations": {"type": "integer"},
    "valid_until": {"type": "string", "format": "date-time"},
    "by": _TEXT,
}
_SELF = {"client_id": _ID, "agency": _TEXT, "application": _TEXT, "by": _TEXT}
_REORGANISED = {
    "agency": _TEXT,
    "on": {"type": "string", "format": "date"},
    "decree": _TEXT,
    "by": _TEXT,
}
EVENTS: dict[str, dict[str, Any]] = {
    "identity.person.registered.v1": _PERSON,
    "identity.person.changed.v1": _PERSON | {"fields": _TEXTS},
    "identity.person.deactivated.v1": _PERSON,
    "identity.person.reactivated.v1": _PERSON,
    "identity.civil-servant.enlisted.v1": _SERVANT,
    "identity.civil-servant.discharged.v1": _SERVANT,
    "identity.position.established.v1": _POSITION,
    "identity.position.abolished.v1": _POSITION,
    "identity.posting.recorded.v1": _POSTING,
    "identity.posting.ended.v1": _POSTING | _CAUSE,
    "identity.role.requested.v1": _ROLE,
    "identity.role.granted.v1": _ROLE,
    "identity.role.refused.v1": _ROLE,
    "identity.role.revoked.v1": _ROLE,
    "identity.business.registered.v1": _BUSINESS,
    "identity.business.closed.v1": _BUSINESS,
    "identity.representation.recorded.v1": _REPRESENTATION,
    "identity.representation.ended.v1": _REPRESENTATION,
    "identity.user.provisioned.v1": _USER,
    "identity.user.deprovisioned.v1": _USER,
    "identity.group.created.v1": _GROUP,
    "identity.group.changed.v1": _GROUP,
    "identity.group.deleted.v1": _GROUP,
    "identity.client.requested.v1": _CLIENT,
    "identity.client.approved.v1": _CLIENT,
    "identity.client.refused.v1": _CLIENT,
    "identity.client.retracted.v1": _CLIENT,
    "identity.client.changed.v1": _SELF,
    "identity.initial-token.issued.v1": _TOKEN,
    "identity.initial-token.revoked.v1": _TOKEN,
    "identity.agency.renamed.v1": _REORGANISED,
    "identity.agency.ended.v1": _REORGANISED | {"successor": {"type": ["string", "null"]}},
    "identity.delegation.recorded.v1": _DELEGATION,
    "identity.delegation.ended.v1": _DELEGATION | _CAUSE,
}
