"""`make demo`: what the bus promises, shown in one minute and checked at each step."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path

from sebalai_shared import http

from sebalai_local import example
from sebalai_local.failures import Failure
from sebalai_local.gateway_client import GatewayClient, connect, described
from sebalai_local.home import Home
from sebalai_local.province import seed

RECEIPT_SECONDS = 5.0
PORTAL_SECONDS = 10.0
POLL_SECONDS = 0.2
VERIFY_SECONDS = 30


async def run(home: Home) -> int:
    """Raises: Failure, at the first promise not kept."""
    who = seed().example
    folder = home.root / "demo"
    folder.mkdir(exist_ok=True)
    async with connect(home) as gateway:
        print(f"1. {who.consumer} calls {who.interface}")
        answered = await example.call(gateway)
        _require(answered, 200)
        print(json.dumps(answered.json(), indent=2, ensure_ascii=False))
        await _show_receipt(home, gateway, answered, who.consumer)

        print(f"\n2. {who.stranger} has no agreement and calls the same")
        refused = await example.call(gateway, who.stranger)
        _require(refused, 403)
        problem = refused.json()
        print(json.dumps(problem, indent=2, ensure_ascii=False))
        await _show_receipt(home, gateway, refused, who.stranger)

        print("\n3. Both stand in the portal")
        for answer in (answered, refused):
            await _show_in_portal(gateway, answer)
    print("\nDone: every promise was kept.")
    return 0


def _require(answer: http.Response, status: int) -> None:
    if answer.status_code != status:
        raise Failure(f"Expected {status}, got {described(answer)}", "See `sebalai logs gateway`.")
    print(f"   {status}, message {_message_id(answer)}, trace {answer.headers['Sebalai-Trace']}")


def _message_id(answer: http.Response) -> str:
    return answer.headers["Sebalai-Message-Id"]


async def _show_receipt(
    home: Home, gateway: GatewayClient, answer: http.Response, party: str
) -> None:
    message_id, began = _message_id(answer), time.monotonic()
    while True:
        receipt = await gateway.call("GET", f"/receipts/{message_id}", party)
        waited = time.monotonic() - began
        if receipt.status_code == 200:
            break
        if waited > RECEIPT_SECONDS:
            raise Failure(f"No receipt after {RECEIPT_SECONDS} s: {described(receipt)}")
        await asyncio.sleep(POLL_SECONDS)
    file = home.root / "demo" / f"{message_id}.json"
    file.write_bytes(receipt.content)
    print(f"   call receipt after {waited:.1f} s: {home.shown(file)}")
    await asyncio.to_thread(_verify_offline, home, file)


def _verify_offline(home: Home, file: Path) -> None:
    verifier = str(Path(sys.executable).with_name("sebalai-verify"))
    key = (home.root / "ledger.vkey").read_text(encoding="utf-8").strip()
    done = subprocess.run(
        [verifier, "--key", key, str(file)],
        capture_output=True,
        check=False,
        text=True,
        timeout=VERIFY_SECONDS,
    )
    if done.returncode != 0:
        raise Failure(f"The receipt does not verify:\n{done.stdout}{done.stderr}")
    for line in done.stdout.strip().splitlines():
        print(f"   sebalai-verify: {line}")


async def _show_in_portal(gateway: GatewayClient, answer: http.Response) -> None:
    message_id, deadline = _message_id(answer), time.monotonic() + PORTAL_SECONDS
    while True:
        page = await gateway.call("GET", "/")
        if message_id in page.text:
            print(f"   {message_id}: on the portal's page, trace {answer.headers['Sebalai-Trace']}")
            return
        if time.monotonic() > deadline:
            raise Failure(f"The portal does not show {message_id} after {PORTAL_SECONDS} s.")
        await asyncio.sleep(POLL_SECONDS)
