"""Which signatures were used: one count for all gateways, which outlives their restarts."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from sebalai_gateway.database import Pool

_USE = """
INSERT INTO signature_nonce (digest, expires_at) VALUES ($1, $2)
ON CONFLICT DO NOTHING RETURNING 1
"""


class Nonces:
    def __init__(self, pool: Pool) -> None:
        self._run = pool.run

    async def use(self, application: str, nonce: str, until: float) -> bool:
        """False when this application used that nonce before; remembered until then, in seconds.

        Raises: StoreUnavailable.
        """
        digest = hashlib.sha256(f"{application}\0{nonce}".encode()).digest()
        expires = datetime.fromtimestamp(until, UTC)
        return bool(await self._run("fetchval", _USE, digest, expires))
