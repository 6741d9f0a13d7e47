"""What people and posts bring to the member: routers, and the shapes of their events."""

from typing import Any

from fastapi import APIRouter

from sebalai_identity.acts import api as acts
from sebalai_identity.persons import api as persons

ROUTERS: list[APIRouter] = [persons.router, acts.router]

_ID = {"type": "string", "format": "uuid"}
_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_PERSON = {"person_id": _ID, "assurance": {"type": "integer"}, "by": _TEXT}
EVENTS: dict[str, dict[str, Any]] = {
    "identity.person.registered.v1": _PERSON,
    "identity.person.changed.v1": _PERSON | {"fields": _TEXTS},
    "identity.person.deactivated.v1": _PERSON,
    "identity.person.reactivated.v1": _PERSON,
}
