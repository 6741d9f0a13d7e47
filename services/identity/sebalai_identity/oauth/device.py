"""Device authorization (RFC 8628) for service counters: the device shows a short code, its person
signs in and agrees elsewhere, the device asks until it gets tokens.

A user code has eight consonants (no vowels, so no words), lives ten minutes and is kept hashed; how
often a source may guess one is the throttle's business.
"""

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sebalai_shared.ids import uuid7

from sebalai_identity.applications.actions import usable_client
from sebalai_identity.interactions import actions as interactions
from sebalai_identity.interactions.actions import Interaction, Wanted
from sebalai_identity.oauth import device_store as store
from sebalai_identity.oauth.clients import Proven, require_grant
from sebalai_identity.oauth.desk import Desk
from sebalai_identity.oauth.errors import OAuthError, invalid_grant, invalid_request
from sebalai_identity.oauth.person_tokens import first_tokens
from sebalai_identity.oauth.policy import DEVICE, PERSON_SCOPES, grants_of
from sebalai_identity.oauth.tokens import Binding

LIFETIME = timedelta(minutes=10)
INTERVAL_SECONDS = 5
SLOW_DOWN_SECONDS = 5
LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
CODE_LENGTH = 8


async def authorize(desk: Desk, parameters: Mapping[str, str], proven: Proven) -> dict[str, Any]:
    """The body of the device authorization answer. Raises `OAuthError`."""
    client = proven.client
    require_grant(proven, DEVICE, grants_of(client))
    asked = set(parameters.get("scope", "").split())
    scopes = sorted(asked & client.scopes & PERSON_SCOPES)
    if not scopes:
        raise OAuthError("invalid_scope", "Of what was asked nothing is granted.")
    device_code = secrets.token_urlsafe(32)
    user_code = "".join(secrets.choice(LETTERS) for _ in range(CODE_LENGTH))
    await store.insert(
        desk.session,
        {
            "device_code": device_code,
            "user_code": user_code,
            "client_id": client.client_id,
            "scopes": scopes,
            "interval": INTERVAL_SECONDS,
            "expires_at": desk.now + LIFETIME,
        },
    )
    page = f"{desk.server.issuer}/device"
    shown = f"{user_code[:4]}-{user_code[4:]}"
    return {
        "device_code": device_code,
        "user_code": shown,
        "verification_uri": page,
        "verification_uri_complete": f"{page}?user_code={shown}",
        "expires_in": int(LIFETIME.total_seconds()),
        "interval": INTERVAL_SECONDS,
    }


def read_user_code(typed: str) -> str | None:
    """Forgives case, spaces and hyphens."""
    code = "".join(sign for sign in typed.upper() if sign not in " -")
    return code if len(code) == CODE_LENGTH and set(code) <= set(LETTERS) else None


async def enter(desk: Desk, typed: str) -> str | None:
    """The interaction of a living user code, at whose end the device is let in; else None."""
    code = read_user_code(typed)
    row = await store.by_user_code(desk.session, code, desk.now) if code else None
    if row is None:
        return None
    client = await usable_client(desk.session, client_id=row.client_id, at=desk.now)
    if client is None:
        return None
    wanted = Wanted(
        client_id=client.client_id,
        client_name=client.settings.name_in("id") or client.name,
        agency=client.agency,
        scopes=tuple(row.scopes),
        # A code may have been sent to its victim: the person always agrees to this very device.
        prompt=("consent",),
        extra={"device": row.digest.hex(), "redirect_uri": "", "mode": "", "state": None},
    )
    return await interactions.open_interaction(desk.session, desk.clock, wanted=wanted)


async def settle(desk: Desk, opened: Interaction, content: dict[str, Any] | None) -> bool:
    """Lets the device in with what the sign-in gave, or (None) refuses it; once."""
    digest = bytes.fromhex(opened.extra["device"])
    state = "approved" if content is not None else "refused"
    return await store.settle(desk.session, digest, state, content, desk.now)


async def by_device(
    desk: Desk, parameters: Mapping[str, str], proven: Proven, binding: Binding
) -> dict[str, Any]:
    """One poll (RFC 8628 3.4, 3.5). Raises `OAuthError`."""
    code = parameters.get("device_code")
    if code is None:
        raise invalid_request("device_code is missing.")
    row = await store.poll(desk.session, code, desk.now)
    if row is None or row.client_id != proven.client.client_id or row.state == "used":
        raise invalid_grant("The device code is not known, or was used.")
    if row.expires_at <= desk.now:
        raise OAuthError("expired_token", "The code has ended; begin again.")
    if row.state == "refused":
        raise OAuthError("access_denied", "The person did not agree.")
    if row.state == "waiting":
        await _slow_down(desk, code, row)
        raise OAuthError("authorization_pending", "The person has not finished yet.")
    if not await store.use(desk.session, code):
        raise invalid_grant("The device code is not known, or was used.")
    return await first_tokens(desk, proven, row.content, UUID(str(uuid7())), binding)


async def _slow_down(desk: Desk, code: str, row: Any) -> None:
    before = row.polled_before
    if before is not None and (desk.now - before).total_seconds() < row.interval_seconds:
        await store.slow_down(desk.session, code, SLOW_DOWN_SECONDS)
        raise OAuthError("slow_down", f"Wait {row.interval_seconds + SLOW_DOWN_SECONDS} seconds.")
