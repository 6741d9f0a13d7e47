"""The command line. Exit codes: 0 done, 1 failed (the message says what to do), 2 wrong usage,
4 the platform is not running.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from sebalai_local import home as homes
from sebalai_local import state
from sebalai_local.agency import parser as agency
from sebalai_local.failures import Failure
from sebalai_local.home import Home

INTERRUPTED_EXIT = 130
Command = Callable[[Home, argparse.Namespace], int]


def run(arguments: Sequence[str]) -> int:
    options = _parser().parse_args(arguments)
    try:
        module = importlib.import_module(f"sebalai_local.{options.module}")
        command: Command = getattr(module, options.command)
        return command(_home(), options)
    except Failure as failure:
        sys.stderr.write(f"{failure}\n")
        return failure.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED_EXIT
    except BrokenPipeError:
        return 0


def _home() -> Home:
    """The home of the environment; a platform that runs there already tells its own ports."""
    home = homes.from_environment()
    if not os.environ.get("SEBALAI_PORT"):
        running = state.read(home)
        if running is not None and state.is_supervised(home):
            return replace(home, base_port=running.base_port)
    return home


# Named, not imported: `status` must not wait for what only `token` needs.
COMMANDS: dict[str, tuple[str, str]] = {
    "up": ("commands", "start the platform in the background and print a first call"),
    "down": ("commands", "stop it; no process and no port stays"),
    "status": ("commands", "what runs, on which port, since when"),
    "stop": ("holding", "stop one process and keep it stopped"),
    "start": ("holding", "let a stopped process run again"),
    "logs": ("commands", "the last lines of all logs, or of one process"),
    "reset": ("commands", "stop and forget all data; the code stays"),
    "migrate": ("commands", "bring every member's database to its newest form"),
    "doctor": ("commands", "versions, ports and who holds them, disk, memory"),
    "token": ("bus_commands", "print an access token of AGENCY/APPLICATION"),
    "demo": ("bus_commands", "a call, its receipt verified offline, a refusal, the trace"),
    "seed": ("bus_commands", "make what is missing of the seed"),
    "applications": ("bus_commands", "register the seed's applications"),
    "supervise": ("commands", "be the supervisor (what `up` starts)"),
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sebalai",
        description="The platform on this machine, and any gateway as one of its applications.",
        epilog="SEBALAI_HOME (default .run) keeps it, SEBALAI_PORT (default 8800) is its base.",
    )
    parsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, (module, told) in COMMANDS.items():
        one = parsers.add_parser(name, help=told, description=told)
        one.set_defaults(module=module, command=name)
        if name == "logs":
            one.add_argument("name", nargs="?", help="a process, as in `sebalai status`")
            one.add_argument("-f", "--follow", action="store_true", help="go on printing")
        if name in {"stop", "start"}:
            one.add_argument("name", help="a process, as in `sebalai status`")
        if name == "status":
            one.add_argument("--json", action="store_true", help="for programs")
        if name == "token":
            one.add_argument("application", metavar="AGENCY/APPLICATION")
    agency.add(parsers)
    return parser


def words() -> dict[str, list[str]]:
    """Every command with the commands below it, for completion."""
    return {name: list[str]() for name in COMMANDS} | agency.WORDS


def options() -> dict[str, list[str]]:
    """Every command as it is typed, with its options, for completion."""
    return dict(_options(_parser(), []))


def _options(parser: argparse.ArgumentParser, typed: list[str]) -> Iterator[tuple[str, list[str]]]:
    # argparse tells its grammar nowhere else.
    actions = parser._actions  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    below = [one.choices for one in actions if isinstance(one.choices, dict)]
    for name, child in (pair for choices in below for pair in choices.items()):
        yield from _options(child, [*typed, name])
    if not below:
        named = [name for one in actions for name in one.option_strings]
        yield " ".join(typed), [name for name in named if name.startswith("--")]
