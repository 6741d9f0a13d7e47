"""Tells clients that a session ended (OpenID Connect Back-Channel Logout 1.0)."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sebalai_shared.ids import uuid7

from sebalai_identity.applications.actions import usable_client
from sebalai_identity.grants import actions as grants
from sebalai_identity.oauth.desk import Desk

TYPE = "logout+jwt"
EVENT = "http://schemas.openid.net/event/backchannel-logout"
LIFETIME = timedelta(seconds=120)
BATCH = 20


@dataclass(frozen=True)
class Notice:
    """One POST to make."""

    session_id: UUID
    client_id: UUID
    address: str
    token: str


async def claim(desk: Desk) -> list[Notice]:
    """Those that are due; each comes again later unless `grants.told` is called for it."""
    notices: list[Notice] = []
    for row in await grants.claim_listeners(desk.session, desk.clock, rows=BATCH):
        client = await usable_client(desk.session, client_id=row.client_id, at=desk.now)
        address = client.settings.backchannel_logout_uri if client is not None else None
        if client is None or address is None:
            await grants.told(desk.session, session_id=row.session_id, client_id=row.client_id)
            continue
        token = await _token(desk, row)
        notices.append(Notice(row.session_id, row.client_id, address, token))
    return notices


async def _token(desk: Desk, row: Any) -> str:
    now = int(desk.now.timestamp())
    claims = {
        "iss": desk.server.issuer,
        "aud": str(row.client_id),
        "sub": row.subject,
        "sid": str(row.session_id),
        "iat": now,
        "exp": now + int(LIFETIME.total_seconds()),
        "jti": str(uuid7()),
        "events": {EVENT: {}},
    }
    return await desk.ring.sign(desk.session, claims, TYPE)
