"""Writes what exchange promises to others: its OpenAPI document and the schemas of its events."""

import json
from pathlib import Path
from typing import Any

from sebalai_exchange.agreements import events as agreements
from sebalai_exchange.app import NAME, exchange_app
from sebalai_exchange.groups import events as groups
from sebalai_exchange.interfaces import events as interfaces
from sebalai_exchange.peers import events as peers
from sebalai_exchange.publishing import facts as publishing
from sebalai_exchange.settings import ExchangeSettings

TEXT = {"type": "string"}
UUID = {"type": "string", "format": "uuid"}
TIME = {"type": "string", "format": "date-time"}
COUNT = {"type": "integer", "minimum": 1}

AGREEMENT_DATA: dict[str, Any] = {
    "agreement_id": UUID,
    "series": UUID,
    "version": {"type": "integer", "minimum": 1},
    "consumer": TEXT,
    "provider": TEXT,
    "interface": TEXT,
    "rules": {
        "type": "array",
        "items": {
            "type": "object",
            "required": ["id", "method", "path"],
            "properties": {"id": TEXT, "method": TEXT, "path": TEXT},
        },
    },
    "purposes": {"type": "array", "items": TEXT},
    "data_categories": {"type": "array", "items": TEXT},
    "valid_from": TIME,
    "valid_until": TIME,
    "by": TEXT,
}
INTERFACE_DATA: dict[str, Any] = {
    "interface_id": UUID,
    "interface": TEXT,
    "provider": TEXT,
    "agency": TEXT,
    "contract_sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    "by": TEXT,
}
GROUP_DATA: dict[str, Any] = {"group_id": UUID, "group": TEXT, "application": TEXT, "by": TEXT}
PEER_DATA: dict[str, Any] = {
    "instance": TEXT,
    "gateway": TEXT,
    "keys": {"type": "array", "items": TEXT},
    "ledger_key": TEXT,
    "offers": {"type": "array", "items": TEXT},
    "by": TEXT,
}
EXPIRED_DATA: dict[str, Any] = {
    "kept_days": COUNT,
    "stored_from": TIME,
    "stored_until": TIME,
    "events": COUNT,
    "first_position": COUNT,
    "last_position": COUNT,
}
EVENTS: dict[str, dict[str, Any]] = {
    interfaces.PUBLISHED: INTERFACE_DATA,
    interfaces.DEPRECATED: INTERFACE_DATA,
    interfaces.RETIRED: INTERFACE_DATA,
    agreements.REQUESTED: AGREEMENT_DATA,
    agreements.GRANTED: AGREEMENT_DATA,
    agreements.SUSPENDED: AGREEMENT_DATA,
    agreements.RESUMED: AGREEMENT_DATA,
    agreements.REVOKED: AGREEMENT_DATA,
    agreements.APPROVED: AGREEMENT_DATA,
    agreements.REPLACED: AGREEMENT_DATA,
    publishing.EXPIRED: EXPIRED_DATA,
    groups.CREATED: GROUP_DATA,
    groups.JOINED: GROUP_DATA,
    groups.REMOVED: GROUP_DATA,
    peers.NAMED: PEER_DATA,
    peers.ENDED: PEER_DATA,
}


def event_schema(kind: str) -> dict[str, Any]:
    """JSON Schema of the fact's `data`; readers must bear fields they do not know."""
    properties = EVENTS[kind]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": kind,
        "type": "object",
        "required": sorted(properties),
        "properties": properties,
    }


def write_contracts(folder: Path) -> None:
    _write(folder / f"{NAME}.openapi.json", exchange_app(ExchangeSettings()).openapi())
    for kind in EVENTS:
        _write(folder / "events" / f"{kind}.json", event_schema(kind))


def _write(path: Path, document: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True)
    path.write_text(text + "\n", encoding="utf-8")
