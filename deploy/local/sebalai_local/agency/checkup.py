"""What stands between an agency's system and the bus, a line each: key, gateway, clock, token,
agreements. Asks the gateway alone; what ails a platform on this machine is `ailments`' to say.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from sebalai_shared import http
from sebalai_shared.clock import SystemClock, from_text

from sebalai_local.agency.commands import API, PAGE_ROWS, identity, run
from sebalai_local.agency.profile import Agency, key_of, load
from sebalai_local.failures import Failure

# What tokens and signatures bear is 30 s (r1, 4b.3); half of it is no accident any more.
CLOCK_SECONDS_MAX = 15
ENDS_SOON = timedelta(days=30)


def check() -> int:
    """1 when something stands in the way; where nobody is logged in there is nothing to check."""
    try:
        load()
    except Failure:
        return 0
    return run(_all)


async def _all(agency: Agency) -> int:
    troubles = [*_key(agency)] or await _gateway(agency) or await _bus(agency)
    for trouble in troubles:
        print(f"! {trouble}")
    return 1 if troubles else 0


def _key(agency: Agency) -> list[str]:
    try:
        key = key_of(agency.profile.key_file)
    except Failure as failure:
        return [str(failure).replace("\n", " ")]
    if not key.is_private:
        return [f"{agency.profile.key_file} holds no private key; log in with the one that does."]
    print(f"key       {agency.profile.key_file} (thumbprint {key.thumbprint()})")
    return []


async def _gateway(agency: Agency) -> list[str]:
    answer = await agency.discovery()
    print(f"gateway   {agency.profile.gateway} answers")
    behind = _seconds_behind(answer, SystemClock().now())
    if behind is None or abs(behind) <= CLOCK_SECONDS_MAX:
        print(f"clock     {abs(behind or 0):.0f} s from the gateway's")
        return []
    side = "behind" if behind > 0 else "ahead of"
    return [_wrong_clock(f"{abs(behind):.0f} s {side}")]


def _wrong_clock(far: str) -> str:
    return (
        f"This machine's clock is {far} the gateway's: its tokens and signatures are refused. "
        "Let chrony or systemd-timesyncd keep it."
    )


def _seconds_behind(answer: http.Response, now: datetime) -> float | None:
    """By the answer's Date, if it has one."""
    try:
        told = parsedate_to_datetime(answer.headers["date"])
    except (KeyError, ValueError):
        return None
    return (told.replace(tzinfo=UTC) - now).total_seconds()


async def _bus(agency: Agency) -> list[str]:
    try:
        claims = identity(await agency.token())
    except Failure as failure:
        return [_not_let_in(failure, agency.profile.client_id)]
    print(f"token     {claims['application']}, scopes {claims['scope']}")
    if "bus.call" not in claims["scope"].split():
        return ["The application may not call on the bus: its scopes lack bus.call."]
    params = {"state": "granted", "limit": PAGE_ROWS}
    found = await agency.ask("GET", f"{API}/agreements", params=params)
    return _agreements(found["items"], claims["application"])


def _not_let_in(failure: Failure, client_id: str) -> str:
    return (
        f"{failure} Compare {client_id} and the thumbprint with what your agency has registered: "
        "a key ends, an application can be suspended."
    )


def _agreements(granted: list[dict[str, Any]], own: str) -> list[str]:
    ours = [one for one in granted if one["consumer"] == own]
    print(f"agreed    {len(ours)} in force to call, {len(granted) - len(ours)} of others seen")
    soon = SystemClock().now() + ENDS_SOON
    return [
        f"The agreement for {one['interface']} ends {one['valid_until']}: ask anew."
        for one in ours
        if from_text(one["valid_until"]) < soon
    ]
