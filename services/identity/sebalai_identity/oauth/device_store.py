"""SQL of device codes; both codes are kept as their SHA-256 only."""

import hashlib
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.oauth.model import DEVICES

_INSERT = text(
    "INSERT INTO device_code (slot, digest, user_code, client_id, scopes, state, interval_seconds,"
    " expires_at) VALUES (:slot, :digest, :user_code, :client_id, :scopes, 'waiting', :interval,"
    " :expires_at)"
)
_BY_USER_CODE = text(
    "SELECT digest, client_id, scopes FROM device_code WHERE user_code = :user_code"
    " AND state = 'waiting' AND expires_at > :at"
)
_SETTLE = text(
    "UPDATE device_code SET state = :state, content = CAST(:content AS jsonb)"
    " WHERE digest = :digest AND state = 'waiting' AND expires_at > :at"
)
# The row as it was before this poll, and the poll noted.
_POLL = text(
    "UPDATE device_code AS code SET polled_at = :at FROM device_code AS before"
    " WHERE code.digest = :digest AND before.slot = code.slot AND before.digest = code.digest"
    " RETURNING code.client_id, code.state, code.content, code.interval_seconds, code.expires_at,"
    " before.polled_at AS polled_before"
)
_USE = text("UPDATE device_code SET state = 'used' WHERE digest = :digest AND state = 'approved'")
_SLOW = text(
    "UPDATE device_code SET interval_seconds = interval_seconds + :more WHERE digest = :digest"
)


def _digest(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()


async def insert(session: AsyncSession, device: dict[str, Any]) -> None:
    names = device | {
        "slot": DEVICES.slot(device["expires_at"]),
        "digest": _digest(device["device_code"]),
        "user_code": _digest(device["user_code"]),
    }
    await session.execute(_INSERT, names)


async def by_user_code(session: AsyncSession, code: str, at: datetime) -> Any | None:
    names = {"user_code": _digest(code), "at": at}
    return (await session.execute(_BY_USER_CODE, names)).one_or_none()


async def settle(
    session: AsyncSession, digest: bytes, state: str, content: dict[str, Any] | None, at: datetime
) -> bool:
    names = {
        "digest": digest,
        "state": state,
        "content": orjson.dumps(content).decode() if content is not None else None,
        "at": at,
    }
    result: Any = await session.execute(_SETTLE, names)
    return bool(result.rowcount)


async def poll(session: AsyncSession, code: str, at: datetime) -> Any | None:
    return (await session.execute(_POLL, {"digest": _digest(code), "at": at})).one_or_none()


async def use(session: AsyncSession, code: str) -> bool:
    result: Any = await session.execute(_USE, {"digest": _digest(code)})
    return bool(result.rowcount)


async def slow_down(session: AsyncSession, code: str, seconds: int) -> None:
    await session.execute(_SLOW, {"digest": _digest(code), "more": seconds})
