"""The first call: how it is made, and how a person types it."""

from __future__ import annotations

import sys
from pathlib import Path

from sebalai_shared import http

from sebalai_local.gateway_client import GatewayClient
from sebalai_local.home import Home, project_root
from sebalai_local.province import full, seed

RESIDENT = "r-0001"  # the population registry's first


def address_path() -> str:
    example = seed().example
    return f"/r1/{full(example.interface)}{example.path.format(resident=RESIDENT)}"


async def call(gateway: GatewayClient, consumer: str | None = None) -> http.Response:
    """The example as its consumer, or as another application."""
    example = seed().example
    headers = {"Sebalai-Purpose": example.purpose}
    return await gateway.call("GET", address_path(), consumer or example.consumer, headers=headers)


def as_typed(home: Home) -> str:
    """One shell line that runs as it stands in the project root."""
    example = seed().example
    command = home.shown(Path(sys.executable).parent) + "/sebalai"
    is_default = home.root == project_root() / ".run"
    prefix = "" if is_default else f"SEBALAI_HOME={home.root} "
    return (
        f'curl -sS -i -H "Authorization: Bearer $({prefix}{command} token {example.consumer})"'
        f' -H "Sebalai-Purpose: {example.purpose}" {home.gateway_url}{address_path()}'
    )
