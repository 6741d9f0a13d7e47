"""All SQL of repeated calls. A row is claimed before the provider is called and says in the end
what became of the call; 24 hours later it is gone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import asyncpg

from sebalai_gateway.database import Pool, StoreUnavailable

KEPT = timedelta(hours=24)
SWEEP_EACH_SECONDS = 600.0

_CLAIM = """
INSERT INTO repeat (key_digest, message_id, head_digest, state, pending_until, expires_at)
VALUES ($1, $2, $3, 'pending', now() + $4::interval, now() + $5::interval)
ON CONFLICT (key_digest) DO UPDATE SET message_id = excluded.message_id,
  head_digest = excluded.head_digest, body_digest = NULL, state = 'pending', status = NULL,
  sealed = NULL, pending_until = excluded.pending_until, expires_at = excluded.expires_at
WHERE repeat.expires_at < now()
RETURNING 1
"""
_FIND = """
SELECT message_id, head_digest, body_digest, status, sealed,
  CASE WHEN state = 'pending' AND pending_until < now() THEN 'unknown' ELSE state END AS state
FROM repeat WHERE key_digest = $1
"""
_SETTLE = """
UPDATE repeat SET state = $3, body_digest = $4, status = $5, sealed = $6
WHERE key_digest = $1 AND message_id = $2 AND state = 'pending'
"""


@dataclass(frozen=True, slots=True)
class Earlier:
    """The first call under a key."""

    message_id: UUID
    head_digest: bytes
    body_digest: bytes | None
    status: int | None
    sealed: bytes | None
    state: str


class Store:
    def __init__(self, pool: Pool) -> None:
        self._run = pool.run

    async def claim(
        self, digest: bytes, message_id: UUID, head: bytes, pending: timedelta
    ) -> Earlier | None:
        """Claims the key for this call, or answers the call that has it.

        Raises: StoreUnavailable.
        """
        for _ in range(2):
            if await self._run("fetchval", _CLAIM, digest, message_id, head, pending, KEPT):
                return None
            row = await self._run("fetchrow", _FIND, digest)
            if row is not None:
                return Earlier(**row)
        # Claimed and released twice between the two statements: the next try will tell.
        raise StoreUnavailable("contended")

    async def settle(
        self,
        digest: bytes,
        message_id: UUID,
        *,
        body: bytes,
        status: int | None = None,
        sealed: bytes | None = None,
    ) -> None:
        """What became of the call: answered when there is a status. Raises: StoreUnavailable."""
        state = "unknown" if status is None else "answered"
        await self._run("execute", _SETTLE, digest, message_id, state, body, status, sealed)

    async def release(self, digest: bytes, message_id: UUID) -> None:
        """The provider never heard of the call: the key is free again. Raises: StoreUnavailable."""
        await self._run(
            "execute",
            "DELETE FROM repeat WHERE key_digest = $1 AND message_id = $2 AND state = 'pending'",
            digest,
            message_id,
        )


async def sweep(dsn: str) -> None:
    """Deletes what has expired: repeated calls, nonces, and the quotas' past periods."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("DELETE FROM repeat WHERE expires_at < now()")
        await connection.execute("DELETE FROM signature_nonce WHERE expires_at < now()")
        await connection.execute("DELETE FROM quota_use WHERE ends_at < now()")
    finally:
        await connection.close()
