"""Calls an application in process, as a caller the gateway has asserted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from joserfc.jwk import ECKey, KeySet

from sebalai_shared.caller import HEADER, AssertionSigner, Caller
from sebalai_shared.clock import Clock, SystemClock

ISSUER = "urn:sebalai:gateway:ID-BB"


class Asserter:
    """Holds a gateway key for one test session and signs callers with it."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.key = ECKey.generate_key("P-256", auto_kid=True)
        self._signer = AssertionSigner(self.key, ISSUER, clock or SystemClock())

    def write_keys(self, path: Path) -> Path:
        """Writes the public key set that a member's CALLER_KEYS_FILE names."""
        path.write_text(json.dumps(KeySet([self.key]).as_dict(private=False)), encoding="utf-8")
        return path

    def headers(self, caller: Caller, audience: str) -> dict[str, str]:
        return {HEADER: self._signer.sign(caller, audience)}


def system(application: str, *scopes: str, **more: Any) -> Caller:
    """A system caller named by its r1 identifier `INSTANCE/CLASS/agency/application`."""
    return Caller(
        kind="system",
        subject=f"client-{application}",
        agency=application.split("/")[2],
        application=application,
        scopes=frozenset(scopes or {"bus.call"}),
        **more,
    )


def in_process(app: FastAPI, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
    """A client of `app` without a socket; faults come out as 500, as a stranger would see them."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://member", headers=headers)
