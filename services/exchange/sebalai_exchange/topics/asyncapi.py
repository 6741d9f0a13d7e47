"""The AsyncAPI 3.0.0 document of the event types, made from what agencies described.

Pure. A channel a type; its message is a CloudEvent whose `data` obeys the type's schema. The bus
sends (webhook, pull, server-sent events) and receives (`POST /v1/events`).
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from sebalai_exchange.topics.embedded import embedded
from sebalai_exchange.topics.store import Topic

DOCUMENT_TYPES_MAX = 1_000
CONTENT_TYPE = "application/cloudevents+json"
# Without it a payload is read as the older draft that AsyncAPI is built on.
SCHEMA_FORMAT = "application/schema+json;version=draft-2020-12"


def document(topics: Sequence[Topic], public_url: str) -> dict[str, Any]:
    parts = urlsplit(public_url)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Sebalai events",
            "version": "1.0.0",
            "description": "Event types of the government bus; who may hear of one stands in "
            "its x-access.",
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {
            "bus": {
                "host": parts.netloc,
                "protocol": parts.scheme,
                "pathname": "/api/exchange/v1",
                "description": "Publish with POST /events; subscribe with POST /subscriptions.",
            }
        },
        "channels": {_name(topic): _channel(topic) for topic in topics},
        "operations": {
            name: operation for topic in topics for name, operation in _operations(topic).items()
        },
        "components": {"messages": {_name(topic): _message(topic) for topic in topics}},
    }


def _name(topic: Topic) -> str:
    """Component names hold no dots in every tool."""
    return topic.type.replace(".", "_")


def _channel(topic: Topic) -> dict[str, Any]:
    return {
        "address": f"sebalai.{topic.type}",
        "title": topic.title,
        "description": topic.description,
        "messages": {"event": {"$ref": f"#/components/messages/{_name(topic)}"}},
    }


def _operations(topic: Topic) -> dict[str, Any]:
    channel = {"$ref": f"#/channels/{_name(topic)}"}
    found = {f"hear_{_name(topic)}": {"action": "send", "channel": channel}}
    if topic.application is not None:
        found[f"publish_{_name(topic)}"] = {"action": "receive", "channel": channel}
    return found


def _message(topic: Topic) -> dict[str, Any]:
    return {
        "name": topic.type,
        "title": topic.title,
        "summary": topic.description,
        "contentType": CONTENT_TYPE,
        "x-owner": topic.owner,
        "x-access": topic.access,
        "x-data-categories": topic.data_categories,
        "x-state": topic.state,
        "x-minor": topic.minor,
        "payload": {"schemaFormat": SCHEMA_FORMAT, "schema": _payload(topic)},
        "examples": [{"name": f"example{n}", "payload": {"data": example}}
                     for n, example in enumerate(topic.examples)],
    }  # fmt: skip


def _payload(topic: Topic) -> dict[str, Any]:
    text, place = {"type": "string"}, f"/components/messages/{_name(topic)}/payload/schema"
    return {
        "type": "object",
        "required": ["specversion", "id", "source", "type", "position", "publisher"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": text,
            "source": {"type": "string", "format": "uri-reference"},
            "type": {"const": topic.type},
            "subject": text,
            "time": {"type": "string", "format": "date-time"},
            "position": {"type": "string", "pattern": "^[0-9]{20}$"},
            "publisher": text,
            "recordedtime": {"type": "string", "format": "date-time"},
            "data": embedded(topic.schema, f"{place}/properties/data"),
        },
    }
