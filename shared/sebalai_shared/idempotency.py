"""Idempotency-Key on creating POSTs: the same key by the same caller gives the first answer again.

The key's row is inserted in the request's own transaction, so a second request with the same key
waits for the first to commit and then finds its answer. Weak island links retry; nothing doubles.

A row holds a digest of the key, and of the body one that is keyed by the key itself and by the
member's own `app.state.idempotency_secret`, where it has one: who reads the table can try out
neither the few numbers a NIK may be, nor anything else the body held.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel
from sqlalchemy import text

from sebalai_shared.caller import IdentifiedAccess
from sebalai_shared.database import Transaction
from sebalai_shared.problems import Problem
from sebalai_shared.statements import execute, fetch_one

KEY_LENGTH_MAX = 128
KEPT_HOURS = 48

# Frozen once released: a member's migration executes these one by one.
DDL_V1 = (
    """
    CREATE TABLE idempotency (
      caller text NOT NULL,
      key text NOT NULL,
      fingerprint text NOT NULL,
      answer jsonb,
      at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (caller, key)
    )
    """,
    "CREATE INDEX idempotency_at ON idempotency (at)",
)

_CLAIM = (
    "INSERT INTO idempotency (caller, key, fingerprint) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
)
_REMEMBER = "UPDATE idempotency SET answer = $3::text::jsonb WHERE caller = $1 AND key = $2"
_RECALL = "SELECT fingerprint, answer::text FROM idempotency WHERE caller = $1 AND key = $2"

Answer = TypeVar("Answer", bound=BaseModel)


class KeyReused(Problem):
    status, slug, title = 422, "idempotency-key-reused", "The key was used for another request"


class Once:
    """`await once.answer(Read, make)` runs `make` the first time and remembers what it made."""

    def __init__(self, request: Request, response: Response, caller: str, key: str) -> None:
        self._request, self._response, self._caller = request, response, caller
        self._key = hashlib.sha256(f"{caller}\n{key}".encode()).hexdigest()
        self._secret = getattr(request.app.state, "idempotency_secret", b"") + key.encode()

    async def answer(
        self, session: Transaction, model: type[Answer], make: Callable[[], Awaitable[Answer]]
    ) -> Answer:
        """Raises: KeyReused when the key came with another body or path before."""
        fingerprint = await self._fingerprint()
        if not await execute(session, _CLAIM, self._caller, self._key, fingerprint):
            return await self._again(session, model, fingerprint)
        made = await make()
        await execute(session, _REMEMBER, self._caller, self._key, made.model_dump_json())
        return made

    async def _again(self, session: Transaction, model: type[Answer], fingerprint: str) -> Answer:
        row = await fetch_one(session, _RECALL, self._caller, self._key)
        assert row is not None  # noqa: S101 - its insertion found it
        if row.fingerprint != fingerprint:
            raise KeyReused("Use a new Idempotency-Key for a new request.")
        self._response.headers["Idempotency-Replayed"] = "true"
        return model.model_validate_json(row.answer)

    async def _fingerprint(self) -> str:
        named = f"{self._request.method} {self._request.url.path}\n".encode()
        return hmac.new(self._secret, named + await self._request.body(), "sha256").hexdigest()


async def _once(
    request: Request,
    response: Response,
    caller: IdentifiedAccess,
    idempotency_key: Annotated[str, Header(min_length=1, max_length=KEY_LENGTH_MAX)],
) -> Once:
    who = caller.subject if caller.acting_for is None else f"{caller.subject} {caller.party}"
    return Once(request, response, str(who), idempotency_key)


Idempotent = Annotated[Once, Depends(_once)]


async def sweep(session: Transaction) -> None:
    """Forgets keys older than KEPT_HOURS; a job of the member's worker calls it."""
    await session.execute(
        text("DELETE FROM idempotency WHERE at < now() - make_interval(hours => :hours)"),
        {"hours": KEPT_HOURS},
    )
