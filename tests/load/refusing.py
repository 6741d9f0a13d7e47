"""Before anything is measured: whoever is to decide serves the calls of the workload and refuses bad
ones. A proxy that checks nothing is fast, and nobody is to be compared with one unawares.
"""

from __future__ import annotations

import time

import httpx
from alone import Alone
from workload import CONSUMER, PURPOSE, Call, called, consumer, interface

REFUSED = frozenset({401, 403, 404})
SAMPLE = range(0, 1_000, 97)
# Envoy's filter has no eye for the kind of a token; stored with each call for RBAC it would cost more.
CANNOT = {"envoy": {"another kind of token"}}


def check(alone: Alone, name: str, port: int) -> None:
    """Raises: SystemExit, with what `name` let through or did not serve."""
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        for number in SAMPLE:
            call = alone.call(number)
            answer = client.get(call.path, headers=call.headers)
            if answer.status_code != 200:
                raise SystemExit(f"{name} answers {answer.status_code} to consumer {number}")
        for what, call in _bad(alone).items():
            # A name of the caller's own making is not to be believed.
            headers = call.headers | {"x-road-client": CONSUMER}
            status = client.get(call.path, headers=headers).status_code
            if status not in REFUSED and what not in CANNOT.get(name, ()):
                raise SystemExit(f"{name} answers {status} to {what}: it is no rival")


def _bad(alone: Alone) -> dict[str, Call]:
    path, now = f"/r1/{interface(0)}/x", int(time.time())
    head, body, signature = alone.token().split(".")
    other_body = alone.token(consumer(1)).split(".")[1]
    tokens = {
        "no token": "none",
        "a forged token": f"{head}.{body}.{signature[:-8]}AAAAAAAA",
        "another's claims": f"{head}.{other_body}.{signature}",
        "an expired token": alone.token(nbf=now - 120, iat=now - 120, exp=now - 60),
        "a token of tomorrow": alone.token(nbf=now + 86_000, exp=now + 90_000),
        "another issuer": alone.token(iss="http://other.example"),
        "another audience": alone.token(aud="urn:sebalai:gateway:ID-XX"),
        "an unknown key": alone.token(kid="other"),
        "another kind of token": alone.token(typ="JWT"),
    }
    bad = {what: Call(path, PURPOSE, token) for what, token in tokens.items()}
    strange = f"/r1/{called(1).interface}/x"
    return bad | {
        "no agreement": Call(strange, called(1).purpose, alone.token()),
        "no agreement of another": Call(path, PURPOSE, alone.token(consumer(1))),
        "an unknown application": Call(path, PURPOSE, alone.token("ID-BB/GOV/nobody/app")),
        "another purpose": Call(path, "tujuan-1", alone.token()),
        "an unknown interface": Call(f"{path[:-2]}x/x", PURPOSE, alone.token()),
    }
