"""The commands that go through the gateway, like any application's calls."""

from __future__ import annotations

import argparse
import asyncio

from sebalai_local import applications as registry
from sebalai_local import demo as demonstration
from sebalai_local import people, platform_file, seeding, state
from sebalai_local.failures import Failure
from sebalai_local.gateway_client import connect
from sebalai_local.home import Home


def _require_running(home: Home) -> None:
    if not state.is_supervised(home):
        raise Failure("The platform is not running.", "Start it: sebalai up")


def applications(home: Home, _: argparse.Namespace) -> int:
    registry.register_all(home)
    people.ensure(home)
    return 0


def seed(home: Home, _: argparse.Namespace) -> int:
    asyncio.run(seeding.run(home))
    platform_file.write(home)
    return 0


def token(home: Home, options: argparse.Namespace) -> int:
    async def ask() -> str:
        async with connect(home) as gateway:
            return await gateway.token(options.application)

    _require_running(home)
    print(asyncio.run(ask()))
    return 0


def demo(home: Home, _: argparse.Namespace) -> int:
    _require_running(home)
    return asyncio.run(demonstration.run(home))
