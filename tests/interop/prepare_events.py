"""Gives the scripts of events what they need of a running platform, as one JSON document: tokens
of a publisher and a subscriber, and an event type anybody may subscribe to.
"""

import asyncio
import json
import sys

from sebalai_local import applications
from sebalai_local.gateway_client import connect
from sebalai_local.home import from_environment

PUBLISHER, SUBSCRIBER = "dinsos-pmd/bansos", "dinkes/puskesmas"
TYPE = "dinsos-pmd.interop.tried.v1"
TOPIC = {
    "type": TYPE, "title": "Interop", "description": "A library of others was tried.",
    "schema": {"type": "object", "required": ["number"],
               "properties": {"number": {"type": "integer"}, "name": {"type": "string"}}},
    "examples": [{"number": 1}], "access": "open",
}  # fmt: skip


async def prepare():
    home = from_environment()
    async with connect(home) as gateway:
        publisher, subscriber = await gateway.token(PUBLISHER), await gateway.token(SUBSCRIBER)
        made = await gateway.call("POST", "/api/exchange/v1/topics", PUBLISHER, json=TOPIC)
        assert made.status_code == 201, made.text
    return {
        "api": f"{home.gateway_url}/api/exchange/v1", "type": TYPE,
        "publisher": {"token": publisher},
        "subscriber": {
            "token": subscriber, "application": applications.find(home, SUBSCRIBER).identifier,
        },
    }  # fmt: skip


if __name__ == "__main__":
    json.dump(asyncio.run(prepare()), sys.stdout)
