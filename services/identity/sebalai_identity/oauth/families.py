"""Refresh tokens: a family a sign-in, whose tokens follow from a secret instead of being stored.

Token n of family f is f and n with a MAC under a key that only running processes hold, so reading
the database yields no token, and rotation is one UPDATE of one row. A token used again within GRACE
by its own client gets the same successor (an answer was lost, or two tabs asked); later, it was
stolen: the family ends, and with it every access token that stems from it.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sebalai_identity.grants import actions as grants
from sebalai_identity.grants.actions import FAMILIES
from sebalai_identity.oauth.desk import Desk
from sebalai_identity.oauth.errors import OAuthError, invalid_grant
from sebalai_identity.oauth.policy import Policy

GRACE = timedelta(seconds=20)
PURPOSE = "refresh-token-1"
HEAD_BYTES = 21
TOKEN_BYTES = HEAD_BYTES + 32
NUMBER_MAX = 2**31 - 2
REUSED = "refresh token used again"


@dataclass(frozen=True)
class Family:
    """What a refresh gives: `content` is that of the code it began with."""

    id: UUID
    slot: int
    subject: UUID
    session_id: UUID
    content: dict[str, Any]
    number: int


@dataclass(frozen=True)
class _Named:
    slot: int
    id: UUID
    number: int


def write(desk: Desk, family: Family) -> str:
    head = bytes([family.slot]) + family.id.bytes + family.number.to_bytes(4)
    return base64.urlsafe_b64encode(head + _mac(desk, head)).rstrip(b"=").decode()


def _mac(desk: Desk, head: bytes) -> bytes:
    return hmac.digest(desk.ring.secret(PURPOSE), head, "sha256")


def _read(desk: Desk, token: str) -> _Named | None:
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != token:
        return None
    head, mac = raw[:HEAD_BYTES], raw[HEAD_BYTES:]
    if len(raw) != TOKEN_BYTES or not hmac.compare_digest(mac, _mac(desk, head)):
        return None
    return _Named(head[0], UUID(bytes=head[1:17]), int.from_bytes(head[17:]))


async def begin(
    desk: Desk, grant_id: UUID, content: dict[str, Any], policy: Policy, jkt: str | None
) -> str:
    """A new family, named as the grant it stems from; its first token."""
    now = desk.now
    end, subject, sid = now + policy.absolute, UUID(content["subject"]), UUID(content["sid"])
    row = {
        "id": grant_id,
        "client_id": UUID(content["client_id"]),
        "subject": subject,
        "session_id": sid,
        "content": content,
        "jkt": jkt,
        "moved_at": now,
        "idle_until": now + policy.idle,
        "absolute_until": end,
    }
    await grants.begin_family(desk.session, family=row)
    family = Family(grant_id, FAMILIES.slot(end), subject, sid, content, number=0)
    return write(desk, family)


async def refresh(
    desk: Desk, token: str, client_id: UUID, policy: Policy, jkt: str | None
) -> Family:
    """The family moved on by one (a client whose tokens do not rotate: by none).

    Raises `OAuthError` invalid_grant; by then a reuse has ended the family.
    """
    named = _read(desk, token)
    if named is None or named.number > NUMBER_MAX:
        raise _unknown()
    now = desk.now
    row = await grants.move_family(
        desk.session,
        step={
            "step": int(policy.rotates),
            "at": now,
            "idle_until": now + policy.idle,
            "slot": named.slot,
            "id": named.id,
            "number": named.number,
            "client_id": client_id,
            "jkt": jkt,
        },
    )
    if row is None:
        return await _again(desk, named, client_id, jkt)
    return Family(named.id, named.slot, row.subject, row.session_id, row.content, row.number)


async def _again(desk: Desk, named: _Named, client_id: UUID, jkt: str | None) -> Family:
    row = await grants.find_family(desk.session, slot=named.slot, family_id=named.id)
    if row is None or row.revoked_at is not None or row.idle_until <= desk.now:
        raise _unknown()
    if row.client_id != client_id or row.jkt != jkt:
        # Somebody else shows it: that proves nothing about its owner, whose family lives on.
        raise _unknown()
    if not (named.number == row.number - 1 and is_in_grace(desk, row)):
        await end(desk, named.id, REUSED)
        raise _unknown()
    return Family(named.id, named.slot, row.subject, row.session_id, row.content, row.number)


def is_in_grace(desk: Desk, row: Any) -> bool:
    """Whether the token before the present one is still good."""
    return desk.now - row.moved_at <= GRACE


def _unknown() -> OAuthError:
    return invalid_grant("The refresh token is not known, has ended, or is another client's.")


async def end(desk: Desk, grant_id: UUID, reason: str) -> None:
    """Ends a family and every access token that stems from its grant; also where none exists."""
    await grants.end_grant(desk.session, desk.clock, grant_id=grant_id, reason=reason)


async def named_by(desk: Desk, token: str, client_id: UUID) -> tuple[_Named, Any] | None:
    """For introspection and revocation: the living family of the client's own token."""
    named = _read(desk, token)
    row = (
        await grants.find_family(desk.session, slot=named.slot, family_id=named.id)
        if named is not None
        else None
    )
    if named is None or row is None or row.client_id != client_id:
        return None
    is_living = row.revoked_at is None and row.idle_until > desk.now
    is_current = named.number in {row.number, row.number - 1}
    return (named, row) if is_living and is_current else None


def thumb(secret: str) -> str:
    """base64url of the SHA-256 of a text (`ath`, PKCE)."""
    digest = hashlib.sha256(secret.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
