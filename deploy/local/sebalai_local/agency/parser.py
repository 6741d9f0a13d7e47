"""The words of `sebalai` for agency developers, who may have no platform on their machine.

Only the grammar: what a command does is imported when it runs.
"""

from __future__ import annotations

import argparse
from typing import Any

MODULE = "agency.commands"
WORDS: dict[str, list[str]] = {
    "login": [],
    "call": [],
    "whoami": [],
    "interfaces": ["publish", "diff", "list"],
    "agreements": ["request", "grant", "list"],
    "receipts": ["get", "verify"],
    "tail": [],
    "listen": [],
    "trigger": [],
    "events": ["list", "attempts", "show", "resend"],
    "hook": [],
    "connect": [],
    "completion": ["bash", "zsh"],
}


def add(parsers: Any) -> None:
    """Adds the commands to those of the platform."""
    login = _one(parsers, "login", "remember a gateway and the application to call it as")
    login.add_argument("--gateway", required=True, help="address, e.g. https://bus.example")
    login.add_argument("--client-id", required=True)
    login.add_argument("--key", required=True, help="file of the private key (JWK); it stays there")
    call = _one(parsers, "call", "call an interface")
    call.add_argument("method", metavar="METHOD")
    call.add_argument("target", metavar="INTERFACE/PATH", help="e.g. ID-BB/GOV/a/b/c/residents/1")
    call.add_argument("--purpose", required=True, help="a purpose code of your agreement")
    call.add_argument("--data", help="the body, or @FILE")
    call.add_argument("--header", action="append", default=[], metavar="NAME: VALUE")
    call.add_argument("--sign", action="store_true", help="sign the request (RFC 9421)")
    call.add_argument("--exchange", metavar="FILE", help="keep what proves a signed exchange")
    _one(parsers, "whoami", "the application you call as")
    _interfaces(parsers)
    _agreements(parsers)
    receipts = _group(parsers, "receipts", "call receipts")
    get = _one(receipts, "get", "fetch a receipt, waiting up to 10 s", "receipts_get")
    get.add_argument("message_id")
    get.add_argument("-o", "--output", help="file; else standard output")
    verify = _one(receipts, "verify", "check a receipt offline", "receipts_verify")
    verify.add_argument("file")
    verify.add_argument("--ledger-key", help="the pinned key (VKEY or FILE)")
    verify.add_argument("--exchange", metavar="FILE", help="the signed exchange it is of")
    verify.add_argument("--signers", metavar="FILE", help="keys of both sides (JWK set)")
    tail = _one(parsers, "tail", "your calls as they end")
    tail.add_argument("--interface")
    _events(parsers)
    connect = _one(parsers, "connect", "a connector beside a system that knows plain HTTP only")
    connect.add_argument("file", help="its configuration (TOML)")
    connect.add_argument("--check", action="store_true", help="only see whether all is well")
    connect.set_defaults(module="connect.running")
    completion = _one(parsers, "completion", 'completion: eval "$(sebalai completion)"')
    completion.add_argument("shell", nargs="?", choices=["bash", "zsh"], default="bash")


def _interfaces(parsers: Any) -> None:
    interfaces = _group(parsers, "interfaces", "interfaces you offer")
    publish = _one(interfaces, "publish", "publish a contract", "interfaces_publish")
    publish.add_argument("name", help="full name, or its last part")
    publish.add_argument("contract", help="OpenAPI 3.0 or 3.1 as JSON")
    publish.add_argument("--address", action="append", required=True)
    publish.add_argument("--title", default="Tanpa judul")
    publish.add_argument("--accept-breaks", action="store_true")
    for side in ("requests", "responses"):
        publish.add_argument(f"--{side}", choices=["off", "monitor", "enforce"], default="off")
    publish.add_argument(
        "--trust", metavar="FILE", help="certificates (PEM) your server is known by"
    )
    publish.add_argument(
        "--credential", metavar="KIND:ID[:HEADER]", help="secret the gateway shows"
    )
    diff = _one(interfaces, "diff", "what publishing a contract would break", "interfaces_diff")
    diff.add_argument("name")
    diff.add_argument("contract")
    _one(interfaces, "list", "interfaces on the bus", "interfaces_list")


def _agreements(parsers: Any) -> None:
    agreements = _group(parsers, "agreements", "agreements you are a side of")
    request = _one(agreements, "request", "ask to call an interface", "agreements_request")
    request.add_argument("interface")
    request.add_argument("--rule", action="append", required=True, metavar="METHOD PATH")
    request.add_argument("--purpose", action="append", required=True, metavar="CODE=LEGAL BASIS")
    request.add_argument(
        "--keep-days", action="append", default=[], metavar="[CODE=]DAYS",
        help="how far back events may be heard for a purpose (1 to 3650); else as their type says",
    )  # fmt: skip
    request.add_argument("--category", action="append", default=[])
    request.add_argument(
        "--signing", choices=["none", "request", "both"], default="none", help="who signs messages"
    )
    request.add_argument("--until", required=True, metavar="TIME", help="2027-11-24T00:00:00Z")
    grant = _one(agreements, "grant", "grant what the other side asked for", "agreements_grant")
    grant.add_argument("id")
    listed = _one(agreements, "list", "those you see", "agreements_list")
    listed.add_argument("--state")


def _events(parsers: Any) -> None:
    listen = _one(parsers, "listen", "events as they come, posted to your own address")
    listen.add_argument("types", nargs="+", metavar="TYPE", help="e.g. 'catalog.request.*'")
    listen.add_argument("--forward-to", metavar="URL", help="signed as the bus signs webhooks")
    listen.add_argument("--where", metavar="SQL", help="CloudEvents SQL: \"subject LIKE 'a-%%'\"")
    listen.add_argument("--purpose", help="where a type needs an agreement")
    listen.add_argument("--secret", metavar="whsec_...", help="else a new one, which is printed")
    listen.add_argument("--count", type=int, help="end after so many")
    trigger = _one(parsers, "trigger", "publish an event of one of your types")
    trigger.add_argument("type")
    trigger.add_argument("--data", metavar="JSON|@FILE", help="else the type's first example")
    trigger.add_argument("--subject", help="the ordering key")
    trigger.add_argument("--purpose", help="where an agreement lets you publish")
    trigger.add_argument("--forward-to", metavar="URL", help="post it there; publish nothing")
    trigger.add_argument("--secret", metavar="whsec_...", help="else a new one, which is printed")
    events = _group(parsers, "events", "what your webhooks received, and what they did not")
    listed = _one(events, "list", "tries, newest first", "events_list")
    listed.add_argument("--open", action="store_true", help="what is not delivered instead")
    attempts = _one(events, "attempts", "each try of one event, the first first", "events_attempts")
    attempts.add_argument("event_id")
    show = _one(events, "show", "who received an event that you published", "events_show")
    show.add_argument("event_id")
    resend = _one(events, "resend", "deliver once more; says first how many", "events_resend")
    resend.add_argument("event_id", nargs="*", help="else all dead ones")
    resend.add_argument(
        "--since", metavar="TIME", help="else all since then, e.g. 2026-11-24T00:00Z"
    )
    resend.add_argument("--yes", action="store_true", help="do it; else only the count")
    for command in (listed, attempts, resend):
        command.add_argument("--subscription", metavar="ID", help="where you have more than one")
    for command in (listen, trigger, listed, attempts, show, resend):
        command.set_defaults(module="agency.events")
    _hook(parsers)


def _hook(parsers: Any) -> None:
    told = "a webhook address to try things with, and a page that shows each attempt"
    hook = parsers.add_parser("hook", help=told, description=told)
    hook.set_defaults(module="agency.hook_page", command="hook_page")
    hook.add_argument("--port", type=int, default=0, help="else a free one, which is printed")
    hook.add_argument("--secret", metavar="whsec_...", help="check signatures with it")
    hook.add_argument("--answer", type=int, default=204, metavar="STATUS", help="default 204")
    hook.add_argument("--fail", type=int, default=0, metavar="N", help="answer the first N by 500")


def _group(parsers: Any, name: str, told: str) -> Any:
    group = parsers.add_parser(name, help=told, description=told)
    return group.add_subparsers(required=True, metavar="COMMAND")


def _one(parsers: Any, name: str, told: str, command: str | None = None) -> argparse.ArgumentParser:
    one: argparse.ArgumentParser = parsers.add_parser(name, help=told, description=told)
    one.add_argument("--json", action="store_true", help="for programs")
    one.set_defaults(module=MODULE, command=command or name)
    return one
