"""Revocation that arrives: what is revoked here is refused at every gateway within 2 s.

Seven kinds of key, each a claim of tokens: `jti` (one token, or the grant it stems from), `sid`
(session), `sub` (person), `cli` (client), `pst` (posting), `rep` (representation of a business),
`kid` (signing key). What bears the first, second or last never comes to life again; of the others a
revocation names what was issued before it, and what is issued afterwards is good again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sebalai_shared.clock import Clock
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.revocations import store
from sebalai_identity.revocations.model import CHANNEL, KEPT, REVOCATIONS, ROWS_MAX, Kind

__all__ = ["CHANNEL", "REVOCATIONS", "Kind"]

FOR_GOOD = frozenset({"jti", "sid", "kid"})
# A revocation holds from its commit, and says its time before: a token that was made in between,
# on what looked alive, bears a later time. No longer than revocations may take to arrive.
SETTLING = timedelta(seconds=2)


@dataclass(frozen=True)
class Revocations:
    """`version` is the cursor to ask with next; `entries` are (key, not before, end), in seconds.

    `is_whole`: nothing else is revoked; whatever else a reader holds may go.
    """

    version: int
    entries: tuple[tuple[str, int, int], ...]
    is_whole: bool

    def as_dict(self) -> dict[str, Any]:
        entries = [list(entry) for entry in self.entries]
        return {"version": self.version, "entries": entries, "whole": self.is_whole}


async def revoke(
    session: AsyncSession, clock: Clock, *, kind: Kind, value: UUID | str, reason: str
) -> None:
    """Tokens that show `value` end when its cause commits: all, or those issued until SETTLING."""
    now = clock.now()
    expires = now + KEPT
    # Tokens tell their birth in whole seconds: one of this very second is older or as old.
    settled = datetime.fromtimestamp(int(now.timestamp()) + 1, UTC) + SETTLING
    not_before = expires if kind in FOR_GOOD else settled
    await store.insert(session, f"{kind}.{value}", not_before, reason, expires)


async def revocations_since(
    session: AsyncSession, clock: Clock, *, after: int
) -> Revocations | None:
    """None when nothing was revoked since cursor `after`; 0, or a cursor of another database's
    life, gets all that lives.
    """
    low, high = await store.horizon(session)
    is_whole = after <= 0 or after > high
    rows = await store.since(session, 0 if is_whole else after, clock.now())
    if not rows and not is_whole:
        return None
    if len(rows) > ROWS_MAX:
        # More than one answer holds: the reader asks on from the transaction it was told last.
        low, rows = int(rows[ROWS_MAX].xid), rows[:ROWS_MAX]
    entries = tuple(
        (row.key, int(row.not_before.timestamp()), int(row.expires_at.timestamp())) for row in rows
    )
    return Revocations(low, entries, is_whole)


async def is_revoked(session: AsyncSession, claims: Mapping[str, Any]) -> bool:
    """Whether a token of ours with these claims was revoked; what the gateway asks of its copy."""
    keys = revocation_keys(claims)
    issued = datetime.fromtimestamp(int(claims["iat"]), UTC)
    return await store.is_revoked(session, keys, issued)


def revocation_keys(claims: Mapping[str, Any]) -> list[str]:
    named: Sequence[tuple[str, Any]] = (
        ("jti", claims.get("jti")),
        ("jti", claims.get("rjti")),
        ("sid", claims.get("sid")),
        ("sub", claims.get("sub")),
        ("cli", claims.get("client_id")),
        ("pst", claims.get("posting")),
        ("rep", (claims.get("acting_for") or {}).get("representation")),
    )
    return [f"{kind}.{value}" for kind, value in named if value]
