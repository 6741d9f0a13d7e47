"""`sebalai connect FILE`: a small process beside a system that knows plain HTTP only."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import signal
import sys
from collections.abc import Generator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import uvicorn
from sebalai_shared import http
from sebalai_shared.addresses import Reach
from sebalai_shared.telemetry import configure_logging
from starlette.types import ASGIApp

from sebalai_local.connect.bus import Bus
from sebalai_local.connect.config import Config, read
from sebalai_local.connect.gateway_keys import GatewayKeys
from sebalai_local.connect.inward import Inward
from sebalai_local.connect.outward import Outward
from sebalai_local.connect.plain import Trouble
from sebalai_local.connect.receipts import Receipts
from sebalai_local.failures import Failure
from sebalai_local.home import Home

log = logging.getLogger(__name__)

READ_SECONDS = 60.0
CONCURRENCY_LIMIT = 200
KEEP_ALIVE_SECONDS = 75
# The agency's own file says where gateway and system stand: no inner network to guard here.
ANYWHERE = ["0.0.0.0/0", "::/0"]


def connect(_: Home, options: argparse.Namespace) -> int:
    config = read(Path(options.file))
    if options.json:
        configure_logging("INFO")
    return asyncio.run(_check(config, options) if options.check else _run(config, options))


def _client(base: str) -> http.Client:
    return http.client(Reach.parse(ANYWHERE), base_url=base, read_seconds=READ_SECONDS)


async def _check(config: Config, options: argparse.Namespace) -> int:
    """Whether key, gateway and token are well."""
    async with _client(config.gateway) as client:
        try:
            await Bus(config, client).token()
        except Trouble as trouble:
            raise Failure(trouble.detail, "sebalai connect FILE --check") from None
    told = {"state": "well", "gateway": config.gateway, "client_id": config.client_id}
    print(json.dumps(told) if options.json else f"{config.gateway} gives a token: all is well.")
    return 0


async def _run(config: Config, options: argparse.Namespace) -> int:
    """Until SIGTERM or SIGINT."""
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(_client(config.gateway))
        bus = Bus(config, client)
        servers = list[uvicorn.Server]()
        if config.consume is not None:
            receipts = Receipts(bus, config.ledger_key_file)
            stack.callback(asyncio.create_task(receipts.run()).cancel)
            servers.append(_server(config.consume.listen, _outward(config, bus, receipts)))
        if config.provide is not None:
            legacy = await stack.enter_async_context(_client(config.provide.forward_to))
            inward = Inward(
                config.provide, GatewayKeys(client), bus.signer, legacy, config.max_body_bytes
            )
            servers.append(_server(config.provide.listen, inward))
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, _stop, servers)
        _say(config, options)
        await asyncio.gather(*(server.serve() for server in servers))
    return 0


class _Server(uvicorn.Server):
    """Two of them in one process: signals are for both, so neither takes them for itself."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def _stop(servers: list[uvicorn.Server]) -> None:
    for server in servers:
        server.should_exit = True


def _outward(config: Config, bus: Bus, receipts: Receipts) -> Outward:
    assert config.consume is not None  # noqa: S101 - asked by who calls
    if config.exchanges_dir is not None:
        config.exchanges_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Outward(config.consume, bus, receipts, config.exchanges_dir)


def _server(place: str, app: ASGIApp) -> uvicorn.Server:
    host, _, port = place.rpartition(":")
    config = uvicorn.Config(
        app, host=host.strip("[]"), port=int(port), http="httptools", ws="none", lifespan="off",
        access_log=False, log_config=None, date_header=False, server_header=False,
        limit_concurrency=CONCURRENCY_LIMIT, timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )  # fmt: skip
    return _Server(config)


def _say(config: Config, options: argparse.Namespace) -> None:
    told: dict[str, str] = {"gateway": config.gateway}
    if config.consume is not None:
        told["consume"] = f"http://{config.consume.listen}"
    if config.provide is not None:
        told["provide"] = f"http://{config.provide.listen} -> {config.provide.forward_to}"
    lines = [f"{name:<9} {value}" for name, value in told.items()]
    print(json.dumps(told) if options.json else "\n".join(lines))
    sys.stdout.flush()
