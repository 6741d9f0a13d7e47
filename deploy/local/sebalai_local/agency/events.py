"""What the commands for events do: listen, trigger, and what webhooks received."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from sebalai_shared import http
from sebalai_shared.clock import SystemClock, to_text
from sebalai_shared.ids import uuid7

from sebalai_local.agency.commands import API, PAGE_ROWS, identity, read_json, run, show
from sebalai_local.agency.hook import CONTENT_TYPE, Hook, hook, key_of, new_secret
from sebalai_local.agency.profile import Agency, refused
from sebalai_local.failures import Failure, Misuse
from sebalai_local.home import Home

# Five events of at most eight seconds each are done within the lease of a minute.
PULLED_EVENTS = 5
WAIT_SECONDS = 20
AWAY_SECONDS = 2.0
AGAIN_SECONDS = 1

Options = argparse.Namespace


@asynccontextmanager
async def _hook(options: Options) -> AsyncGenerator[Hook | None]:
    if not options.forward_to:
        yield None
        return
    secret = options.secret or new_secret()
    key = key_of(secret)
    sys.stderr.write(f"signed with {secret}\n")
    async with hook(options.forward_to, key) as found:
        yield found


def listen(_: Home, options: Options) -> int:
    async def work(agency: Agency) -> int:
        async with _hook(options) as forward, _subscribed(agency, options) as ident:
            sys.stderr.write(f"listening to {', '.join(options.types)}; Ctrl-C ends it\n")
            await _Listening(agency, forward, ident, options).run()
        return 0

    return run(work)


@asynccontextmanager
async def _subscribed(agency: Agency, options: Options) -> AsyncGenerator[str]:
    """A subscription for as long as somebody listens; also SIGTERM ends it."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    wanted = {
        "subscriber": identity(await agency.token())["application"],
        "title": "sebalai listen",
        "types": options.types,
        "filters": [{"sql": options.where}] if options.where else [],
        "purpose": options.purpose,
        "kind": "pull",
    }
    ident = str((await agency.ask("POST", f"{API}/subscriptions", json=wanted))["id"])
    try:
        yield ident
    finally:
        await agency.ask("POST", f"{API}/subscriptions/{ident}/end", json={"reason": "no listener"})


class _Listening:
    def __init__(self, agency: Agency, hook: Hook | None, ident: str, options: Options) -> None:
        self._agency, self._hook, self._options = agency, hook, options
        self._path = f"{API}/subscriptions/{ident}"
        self._left: int | None = options.count

    async def run(self) -> None:
        """Until interrupted, or as many as wanted were taken. Raises: Failure."""
        while self._left is None or self._left > 0:
            try:
                await self._pass()
            except http.Error as error:
                sys.stderr.write(f"the gateway is away ({error!r}), trying again\n")
                await asyncio.sleep(AWAY_SECONDS)

    async def _pass(self) -> None:
        most = PULLED_EVENTS if self._left is None else min(PULLED_EVENTS, self._left)
        wanted = {"max": most, "wait_seconds": WAIT_SECONDS}
        answer = await self._agency.send("POST", f"{self._path}/pull", json=wanted)
        if answer.status_code >= 500:
            sys.stderr.write(f"the gateway answers {answer.status_code}, trying again\n")
            await asyncio.sleep(AWAY_SECONDS)
            return
        if answer.status_code != 200:
            raise refused("No events", answer)
        await self._take(answer.json())

    async def _take(self, batch: dict[str, Any]) -> None:
        taken, left, behind = list[str](), list[str](), set[str]()
        for one in batch["events"]:
            key = one["event"].get("subject")
            is_taken = key not in behind and await self._one(one["event_id"], one["event"])
            (taken if is_taken else left).append(one["event_id"])
            if not is_taken and key is not None:
                behind.add(key)
        await self._tell("ack", {"lease": batch["lease"], "event_ids": taken})
        again = {"lease": batch["lease"], "event_ids": left, "delay_seconds": AGAIN_SECONDS}
        await self._tell("nack", again)
        if self._left is not None:
            self._left -= len(taken)

    async def _tell(self, step: str, body: dict[str, Any]) -> None:
        if body["event_ids"]:
            await self._agency.ask("POST", f"{self._path}/{step}", json=body)

    async def _one(self, ident: str, event: dict[str, Any]) -> bool:
        answer = await self._hook.post(ident, event) if self._hook else None
        told = {"event_id": ident, "event": event}
        line = f"{event['position']} {event['type']} {event.get('subject', '-')} {ident}"
        if answer is not None:
            told |= {"status": answer.status, "milliseconds": answer.milliseconds}
            line += f" -> {answer}"
        show(self._options, told, line)
        sys.stdout.flush()
        return answer is None or answer.is_taken


def trigger(_: Home, options: Options) -> int:
    data = None if options.data is None else read_json(options.data)

    async def work(agency: Agency) -> int:
        who = identity(await agency.token())
        event = {
            "specversion": "1.0",
            "id": str(uuid7()),
            "source": "/" + "/".join(who["application"].split("/")[2:]),
            "type": options.type,
            "time": to_text(SystemClock().now()),
            "datacontenttype": "application/json",
            "data": await _example(agency, options.type) if data is None else data,
        }
        if options.subject:
            event["subject"] = options.subject
        async with _hook(options) as forward:
            if forward is not None:
                return await _try(forward, event, options)
        return await _publish(agency, event, options)

    return run(work)


async def _example(agency: Agency, kind: str) -> Any:
    found = await agency.ask("GET", f"{API}/topics/{kind}")
    if not found["examples"]:
        raise Failure(f"{kind} has no example.", "Give one: --data '{...}' or --data @FILE")
    return found["examples"][0]


async def _try(forward: Hook, event: dict[str, Any], options: Options) -> int:
    answer = await forward.post(event["id"], event)
    found = {"event": event, "status": answer.status, "milliseconds": answer.milliseconds}
    show(options, found, f"{options.forward_to} answers {answer}; nothing was published")
    return 0 if answer.is_taken else 1


async def _publish(agency: Agency, event: dict[str, Any], options: Options) -> int:
    headers = {"Content-Type": CONTENT_TYPE}
    if options.purpose:
        headers["Sebalai-Purpose"] = options.purpose
    made = (await agency.ask("POST", f"{API}/events", json=event, headers=headers))["events"][0]
    show(options, made, f"{made['event_id']} is stored; sebalai events show {made['event_id']}")
    return 0


async def _webhook(agency: Agency, options: Options) -> str:
    """The subscription asked for, else the only live webhook. Raises: Failure, Misuse."""
    if options.subscription:
        return str(options.subscription)
    found = await agency.ask("GET", f"{API}/subscriptions", params={"limit": PAGE_ROWS})
    live = [one for one in found["items"] if one["kind"] == "webhook" and one["state"] != "ended"]
    if not live:
        raise Failure("You have no webhook.", "Subscribe: POST /api/exchange/v1/subscriptions")
    if len(live) > 1 or found["next"]:
        lines = "\n".join(f"  {one['id']}  {one['title']}  {one['url']}" for one in live)
        raise Misuse("You have more than one webhook: name it by --subscription ID.", lines)
    return str(live[0]["id"])


def events_list(_: Home, options: Options) -> int:
    async def work(agency: Agency) -> int:
        what = "deliveries" if options.open else "attempts"
        path = f"{API}/subscriptions/{await _webhook(agency, options)}/{what}"
        found = await agency.ask("GET", path, params={"limit": PAGE_ROWS})
        lines = [_line(one) for one in found["items"]] or ["Nothing."]
        if found["next"]:
            lines.append(f"... and more than these {PAGE_ROWS}")
        show(options, found, "\n".join(lines))
        return 0

    return run(work)


def _line(one: dict[str, Any]) -> str:
    """A try, or a delivery that is not done."""
    reason = one["reason"] or ""
    if "outcome" in one:
        told = f"{one['at']}  {one['outcome']:<9}  {one['status'] or '---'}  try {one['number']}"
        return f"{told}  {one['event_id']}  {reason}".rstrip()
    told = f"{one['first_at']}  {one['state']:<9}  {one['attempts']} tries"
    return f"{told}  {one['event_id']}  {reason}".rstrip()


def events_attempts(_: Home, options: Options) -> int:
    async def work(agency: Agency) -> int:
        path = f"{API}/subscriptions/{await _webhook(agency, options)}/attempts"
        asked = {"event_id": options.event_id, "limit": PAGE_ROWS}
        tried = (await agency.ask("GET", path, params=asked))["items"][::-1]
        lines = [_line(one) + f"  {one['milliseconds']} ms" for one in tried]
        show(options, tried, "\n".join(lines) or "It was never tried here.")
        return 0 if tried else 1

    return run(work)


def events_show(_: Home, options: Options) -> int:
    async def work(agency: Agency) -> int:
        found = await agency.ask("GET", f"{API}/events/{options.event_id}")
        lines = [f"{found['type']}: {found['received']} of {found['expected']} received"]
        for one in found["receivers"]:
            told = f"  {one['subscriber']}  {one['state']}  {one['attempts']} tries"
            lines.append(f"{told}  {one['status'] or ''} {one['reason'] or ''}".rstrip())
        show(options, found, "\n".join(lines))
        return 0

    return run(work)


def events_resend(_: Home, options: Options) -> int:
    if options.event_id and options.since:
        raise Misuse("Name events or a time, not both.")
    if options.since:
        _require_time(options.since)

    async def work(agency: Agency) -> int:
        path = f"{API}/subscriptions/{await _webhook(agency, options)}"
        count = done = 0
        for step, body in await _steps(agency, path, options):
            asked = body if options.yes else body | {"count_only": True}
            made = await agency.ask("POST", f"{path}/{step}", json=asked)
            count, done = count + made["count"], done + made["done"]
        told = f"{done} of {count} go out once more." if options.yes else f"{count} fit; add --yes."
        show(options, {"count": count, "done": done}, told)
        return 0 if count else 1

    return run(work)


def _require_time(told: str) -> None:
    with contextlib.suppress(ValueError):
        if datetime.fromisoformat(told).tzinfo is not None:
            return
    raise Misuse(f"{told} is no time with its offset.", "As 2026-11-24T00:00:00Z")


async def _steps(
    agency: Agency, path: str, options: Options
) -> Sequence[tuple[str, dict[str, Any]]]:
    """Dead ones are sent again as they are; what was received is replayed from the log."""
    if options.since:
        return [("replay", {"from_time": options.since})]
    if not options.event_id:
        return [("resend", {})]
    steps = list[tuple[str, dict[str, Any]]]()
    for ident in options.event_id:
        tried = await agency.ask("GET", f"{path}/attempts", params={"event_id": ident, "limit": 1})
        if not tried["items"]:
            raise Failure(f"{ident} was never tried here.", "sebalai events list")
        last = tried["items"][0]
        if last["outcome"] == "failed":
            steps.append(("resend", {"event_ids": [ident]}))
        else:
            span = {"from_position": last["position"], "to_position": last["position"]}
            steps.append(("replay", span))
    return steps
