"""Fills a fresh platform through its own APIs, as the applications concerned. Idempotent."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import Any

from sebalai_shared import http
from sebalai_shared.addresses import Reach
from sebalai_shared.clock import SystemClock, to_text

from sebalai_local import example
from sebalai_local.failures import Failure
from sebalai_local.gateway_client import GatewayClient, connect, described
from sebalai_local.home import Home
from sebalai_local.province import SeedAgreement, SeedInterface, full, seed

AGREEMENT_DAYS = 365
FIRST_CALL_SECONDS = 20
POLL_SECONDS = 0.25
PAGES_LIMIT = 50
PAGE_ROWS = 100
API = "/api/exchange/v1"


async def run(home: Home) -> None:
    """Raises: Failure."""
    async with connect(home) as gateway:
        has_published = await _publish_missing(home, gateway)
        has_granted = await _agree_missing(gateway)
        if (has_published or has_granted) and seed().has_example:
            await _wait_first_call(gateway)


async def _items(gateway: GatewayClient, path: str, short: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    params: dict[str, str | int] = {"limit": PAGE_ROWS}
    for _ in range(PAGES_LIMIT):
        answer = await gateway.call("GET", f"{API}/{path}", short, params=params)
        if answer.status_code != 200:
            raise Failure(f"Reading {path} as {short}: {described(answer)}")
        page = answer.json()
        found += page["items"]
        if not page.get("next"):
            return found
        params["cursor"] = page["next"]
    raise Failure(f"{path} has more than {PAGES_LIMIT} pages.")


async def _publish_missing(home: Home, gateway: GatewayClient) -> bool:
    wanted = seed().interfaces
    there = {
        one["name"]: one
        for provider in {interface.provider for interface in wanted}
        for one in await _items(gateway, "interfaces", provider)
        if provider == "/".join(one["name"].split("/")[2:4])
    }
    made = False
    for interface in wanted:
        known = there.get(full(f"{interface.provider}/{interface.name}"))
        # Another base port moves the providers; publishing again replaces the address.
        if (
            known is None
            or known.get("addresses") not in (None, [interface.address_in(home)])
            or await _is_of_another_release(home, gateway, interface, known["id"])
        ):
            await _publish(home, gateway, interface)
            made = True
    return made


async def _contract(home: Home, interface: SeedInterface) -> dict[str, Any]:
    address = interface.address_in(home)
    async with http.client(Reach.parse(home.hosts), base_url=address) as client:
        return (await client.fetch("/openapi.json")).json()


async def _is_of_another_release(
    home: Home, gateway: GatewayClient, interface: SeedInterface, interface_id: str
) -> bool:
    """Whether the platform's own interface is something else since; an agency's is its own word."""
    if interface.member is None:
        return False
    path = f"{API}/interfaces/{interface_id}/contract"
    answer = await gateway.call("GET", path, interface.provider)
    if answer.status_code != 200:
        raise Failure(f"Reading the contract of {interface.name}: {described(answer)}")
    return answer.json() != await _contract(home, interface)


async def _publish(home: Home, gateway: GatewayClient, interface: SeedInterface) -> None:
    body: dict[str, Any] = {
        "name": full(f"{interface.provider}/{interface.name}"),
        "title": interface.title,
        "addresses": [interface.address_in(home)],
        "contract": await _contract(home, interface),
    }
    if interface.member is not None:
        # The platform's own: what its release no longer offers was decided with the release.
        body |= {"member": interface.member, "accept_breaks": True}
    answer = await gateway.call("POST", f"{API}/interfaces", interface.provider, json=body)
    if answer.status_code not in (200, 201):
        raise Failure(f"Publishing {body['name']}: {described(answer)}")
    print(f"published {body['name']}")


async def _agree_missing(gateway: GatewayClient) -> bool:
    made = False
    for wanted in seed().agreements:
        there = [
            one
            for one in await _items(gateway, "agreements", wanted.consumer)
            if one["interface"] == full(wanted.interface)
            and one["consumer"] == full(wanted.consumer)
        ]
        states = {one["state"] for one in there}
        # A suspended or revoked agreement is someone's decision: it is not made again.
        if states - {"requested"}:
            continue
        pending = next((one for one in there if one["state"] == "requested"), None)
        agreement = pending or await _request(gateway, wanted)
        await _grant(gateway, wanted, agreement["id"])
        made = True
    return made


async def _request(gateway: GatewayClient, wanted: SeedAgreement) -> dict[str, Any]:
    until = SystemClock().now() + timedelta(days=AGREEMENT_DAYS)
    body = {
        "consumer": full(wanted.consumer),
        "interface": full(wanted.interface),
        "rules": wanted.rules,
        "purposes": wanted.purposes,
        "data_categories": wanted.data_categories,
        "valid_until": to_text(until),
        **wanted.limits,
    }
    answer = await gateway.call("POST", f"{API}/agreements", wanted.consumer, json=body)
    if answer.status_code not in (200, 201):
        raise Failure(f"Requesting {wanted.consumer} → {wanted.interface}: {described(answer)}")
    return answer.json()


async def _grant(gateway: GatewayClient, wanted: SeedAgreement, agreement_id: str) -> None:
    answer = await gateway.call("POST", f"{API}/agreements/{agreement_id}/grant", wanted.provider)
    if answer.status_code != 200:
        raise Failure(f"Granting {wanted.consumer} → {wanted.interface}: {described(answer)}")
    print(f"granted {wanted.consumer} → {wanted.interface}")


async def _wait_first_call(gateway: GatewayClient) -> None:
    """Until the gateway has the new routes, the printed first call would be refused."""
    deadline = time.monotonic() + FIRST_CALL_SECONDS
    while True:
        # Routes spread within a second; asking earlier only fills the journal with refusals.
        await asyncio.sleep(
            1 if time.monotonic() < deadline - FIRST_CALL_SECONDS + 1 else POLL_SECONDS
        )
        answer = await example.call(gateway)
        if answer.status_code == 200:
            return
        if time.monotonic() > deadline:
            raise Failure(f"The first call still fails: {described(answer)}")
