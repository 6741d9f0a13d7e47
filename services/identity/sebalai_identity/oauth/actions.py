"""Ties the grant to this member's applications, keys and table of used assertions."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sebalai_shared.clock import Clock
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.applications.actions import KnownClient, usable_client
from sebalai_identity.keys.actions import Ring
from sebalai_identity.oauth import grants, store
from sebalai_identity.oauth.errors import OAuthError
from sebalai_identity.oauth.model import PROOFS

__all__ = ["PROOFS"]


class _Storage:
    def __init__(self, session: AsyncSession, ring: Ring) -> None:
        self._session, self._ring = session, ring

    async def client(self, client_id: UUID, at: datetime) -> KnownClient | None:
        return await usable_client(self._session, client_id=client_id, at=at)

    async def use_once(self, client_id: UUID, jti: str, expires_at: datetime) -> bool:
        return await store.use_once(self._session, str(client_id), jti, expires_at)

    async def sign(self, claims: dict[str, Any], kind: str) -> str:
        return await self._ring.sign(self._session, claims, kind)


async def issue_token(
    session: AsyncSession,
    clock: Clock,
    *,
    server: grants.Server,
    ring: Ring,
    parameters: Mapping[str, str],
) -> dict[str, Any] | OAuthError:
    """An error is answered, not raised: raising would undo what the attempt has used up."""
    try:
        return await grants.grant(server, _Storage(session, ring), parameters, clock.now())
    except OAuthError as error:
        return error
