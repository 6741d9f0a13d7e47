"""The commands about the platform itself."""

from __future__ import annotations

import argparse
import json

from sebalai_local import lifecycle, migrating, processes, reports, state
from sebalai_local.agency import checkup
from sebalai_local.failures import Failure
from sebalai_local.home import Home

NOT_RUNNING_EXIT = 4


def up(home: Home, _: argparse.Namespace) -> int:
    wanted = {port: unit.name for unit in processes.units(home) for port in unit.ports}
    seconds = lifecycle.up(home, wanted, ["-m", "sebalai_local", "supervise"])
    _print_addresses(home)
    print("It was running already." if seconds is None else f"Started in {seconds:.1f} s.")
    return 0


def _print_addresses(home: Home) -> None:
    now = json.loads(home.platform_file.read_text(encoding="utf-8"))
    print(f"Sebalai runs.\n  portal   {now['portal']}\n  gateway  {now['gateway']}")
    for person in now["people"]:
        print(f"  sign in  {now['gateway']}/sign-in as {person['login']}, password in")
        print(f"           {person['password_file']}")
    print(f"  details  {home.shown(home.platform_file)}, `sebalai status`, `sebalai logs`")
    print(f"\nThe first call, to paste:\n\n{now['example_call']}\n")


def supervise(home: Home, _: argparse.Namespace) -> int:
    return lifecycle.supervise(home, processes.units(home))


def down(home: Home, _: argparse.Namespace) -> int:
    was_there = state.read(home) is not None
    freed = lifecycle.down(home)
    if not was_there:
        print("Nothing was running.")
        return 0
    print(f"Stopped. No process is left, and {len(freed)} ports are free again.")
    return 0


def reset(home: Home, _: argparse.Namespace) -> int:
    lifecycle.reset(home)
    print(f"Forgotten: {home.root}. `sebalai up` starts anew.")
    return 0


def status(home: Home, options: argparse.Namespace) -> int:
    running = state.read(home)
    if running is None or not state.is_supervised(home):
        print("The platform is not running. Start it: sebalai up")
        return NOT_RUNNING_EXIT
    print(reports.status_json(running) if options.json else reports.status(running))
    return 0


def logs(home: Home, options: argparse.Namespace) -> int:
    reports.logs(home, options.name, follows=options.follow)
    return 0


def doctor(home: Home, _: argparse.Namespace) -> int:
    return max(reports.doctor(home), checkup.check())


def migrate(home: Home, _: argparse.Namespace) -> int:
    require_running(home)
    migrating.migrate_all(home)
    return 0


def require_running(home: Home) -> None:
    if not state.is_supervised(home):
        raise Failure("The platform is not running.", "Start it: sebalai up")
