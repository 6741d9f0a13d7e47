"""Our AsyncAPI document against AsyncAPI's own schema, and its data schemas where they stand.

    (cd tests/interop && npm ci) && python tests/interop/asyncapi_document.py

Of every event type of the platform, and of one that uses what agencies may use of JSON Schema.
"""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import jsonschema_rs
from sebalai_exchange.topics.asyncapi import document
from sebalai_exchange.topics.store import Topic

HERE = Path(__file__).parent
OFFICIAL = HERE / "node_modules/@asyncapi/specs/schemas/3.0.0-without-$id.json"
EVENTS = HERE.parents[1] / "docs/contracts/events"
AT = datetime(2026, 11, 24, 8, tzinfo=UTC)
FAMILY = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["members"],
    "properties": {
        "members": {"type": "array", "prefixItems": [{"$ref": "#/$defs/person"}], "items": False},
        "$ref": {"enum": [{"$ref": "#/$defs/person"}]},
    },
    "$defs": {"person": {"type": "object", "required": ["name"], "properties": {"of": {"$ref": "#"}}}},
}  # fmt: skip


def topic(kind, schema, application=None):
    return Topic(
        type=kind, owner=kind.partition(".")[0], application=application, interface=None,
        title=kind, description=schema.get("description") or kind, access="open",
        data_categories=[], retention_days=365, state="active", successor=None, retires_at=None,
        minor=0, schema=schema, schema_sha256="", examples=[], created_at=AT, changed_at=AT,
    )  # fmt: skip


def is_valid(found, kind, data):
    """Whether `data` passes as a reader of the document would check it."""
    at = f"#/components/messages/{kind.replace('.', '_')}/payload/schema/properties/data"
    whole = {"$schema": FAMILY["$schema"], "$ref": at, "components": found["components"]}
    return jsonschema_rs.Draft202012Validator(whole).is_valid(data)


def main():
    types = [topic(file.stem, json.loads(file.read_bytes())) for file in EVENTS.glob("*.json")]
    family = topic("dukcapil.family.changed.v1", FAMILY, "ID-BB/GOV/dukcapil/keluarga")
    found = document([*types, family], "https://bus.example")
    faults = [
        f"{'/'.join(map(str, fault.instance_path))}: {fault.message[:200]}"
        for fault in jsonschema_rs.validator_for(json.loads(OFFICIAL.read_bytes())).iter_errors(
            found
        )
    ]
    for data, expected in (
        ({"members": [{"name": "a", "of": {"members": []}}]}, True),
        ({"members": [{}]}, False),
        ({"members": [{"name": "a"}, 2]}, False),
        ({"members": [{"name": "a", "of": {}}]}, False),
        ({"members": [], "$ref": {"$ref": "#/$defs/person"}}, True),
    ):
        if is_valid(found, family.type, data) is not expected:
            faults.append(f"{data} is {'refused' if expected else 'taken'}")
    print(*faults, sep="\n", end="\n" if faults else "")
    print(f"asyncapi: {len(types) + 1} event types, {len(faults)} faults by {OFFICIAL.name}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
