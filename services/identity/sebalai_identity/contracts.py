"""Writes what others may rely on to `docs/contracts/`: the OpenAPI document and event schemas."""

import json
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from sebalai_identity import people

FOLDER = Path("docs/contracts")
_ID = {"type": "string", "format": "uuid"}
_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_APPLICATION = {
    "application_id": _ID,
    "application": _TEXT,
    "agency": _TEXT,
    "client_id": _ID,
    "scopes": _TEXTS,
    "by": _TEXT,
}
_AUTHENTICATED = {"session_id": _ID, "subject": _ID, "acr": _TEXT, "amr": _TEXTS}
_CONSENT = {"subject": _ID, "client_id": _ID}
_OUTSIDE_PROVIDER = {"provider_id": _ID, "provider": _TEXT, "asked_by": _TEXT, "by": _TEXT}
_OUTSIDE_IDENTITY = {"person_id": _ID, "issuer": _TEXT, "by": _TEXT}
EVENTS: dict[str, dict[str, Any]] = {
    "identity.agency.registered.v1": {"agency_id": _ID, "agency": _TEXT, "kind": _TEXT},
    "identity.application.registered.v1": _APPLICATION,
    "identity.application.changed.v1": _APPLICATION,
    "identity.application.suspended.v1": _APPLICATION,
    "identity.application.resumed.v1": _APPLICATION,
    "identity.application.ended.v1": _APPLICATION,
    "identity.application.keyed.v1": {
        "application_id": _ID,
        "application": _TEXT,
        "agency": _TEXT,
        "thumbprint": _TEXT,
        "valid_until": {"type": ["string", "null"], "format": "date-time"},
        "by": _TEXT,
    },
    "identity.session.started.v1": _AUTHENTICATED,
    "identity.session.raised.v1": _AUTHENTICATED,
    "identity.session.ended.v1": {"session_id": _ID, "subject": _ID, "reason": _TEXT},
    "identity.person.invited.v1": {
        "person_id": _ID,
        "by": _TEXT,
        "sponsor": {"type": ["string", "null"]},
        "expires_at": {"type": "string", "format": "date-time"},
        "forgets_factors": {"type": "boolean"},
    },
    "identity.credential.added.v1": {"person_id": _ID, "kind": _TEXT},
    "identity.credential.removed.v1": {"person_id": _ID, "kind": _TEXT},
    "identity.consent.granted.v1": _CONSENT | {"scopes": _TEXTS, "text_version": _TEXT},
    "identity.consent.revoked.v1": _CONSENT,
    "identity.key.rotated.v1": {
        "kid": _TEXT,
        "previous": {"type": ["string", "null"]},
        "version": {"type": "integer"},
    },
    "identity.key.compromised.v1": {
        "kid": _TEXT,
        "signing": {"type": ["string", "null"]},
        "by": _TEXT,
    },
    "identity.outside-provider.requested.v1": _OUTSIDE_PROVIDER,
    "identity.outside-provider.enabled.v1": _OUTSIDE_PROVIDER,
    "identity.outside-provider.refused.v1": _OUTSIDE_PROVIDER,
    "identity.outside-provider.disabled.v1": _OUTSIDE_PROVIDER,
    "identity.outside-identity.linked.v1": _OUTSIDE_IDENTITY,
    "identity.outside-identity.unlinked.v1": _OUTSIDE_IDENTITY,
    **people.EVENTS,
}


def event_schemas() -> dict[str, dict[str, Any]]:
    """The `data` of each event, as JSON Schema."""
    return {
        kind: {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": kind,
            "type": "object",
            "properties": members,
            "required": list(members),
        }
        for kind, members in EVENTS.items()
    }


def write_contracts(app: FastAPI, folder: Path = FOLDER) -> None:
    events = {f"events/{name}": schema for name, schema in event_schemas().items()}
    documents = {"identity.openapi": app.openapi(), **events}
    (folder / "events").mkdir(parents=True, exist_ok=True)
    for name, document in documents.items():
        text = json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
        (folder / f"{name}.json").write_text(text, encoding="utf-8")
