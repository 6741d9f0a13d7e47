"""A person's agreement to what an application may have: given, looked up, taken back.

Owns the register and its wording's version. Tokens given out under a consent belong to others:
who withdraws (`my_access`) also revokes them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sebalai_shared.clock import Clock
from sebalai_shared.ids import uuid7
from sebalai_shared.outbox import publish
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_identity.consents import events, store
from sebalai_identity.consents.model import Consent

LIFETIME = timedelta(days=365)
TEXT_VERSION = "2026-11"


BUSINESS_PREFIX = "business:"


def scopes_of(scopes: Iterable[str], business: UUID | None) -> frozenset[str]:
    """What is agreed to: acting for one business is no agreement to act for another."""
    more = {f"{BUSINESS_PREFIX}{business}"} if business is not None else set[str]()
    return frozenset(scopes) | more


@dataclass(frozen=True)
class Agreed:
    """What a person has standing with one application; `since` the first act that still stands."""

    client_id: UUID
    scopes: frozenset[str]
    since: datetime
    expires_at: datetime

    @property
    def businesses(self) -> frozenset[UUID]:
        named = (scope for scope in self.scopes if scope.startswith(BUSINESS_PREFIX))
        return frozenset(UUID(scope.removeprefix(BUSINESS_PREFIX)) for scope in named)

    @property
    def plain_scopes(self) -> frozenset[str]:
        return frozenset(one for one in self.scopes if not one.startswith(BUSINESS_PREFIX))


async def covers(
    session: AsyncSession, clock: Clock, *, subject: UUID, client_id: UUID, scopes: Iterable[str]
) -> bool:
    """Whether standing consents cover every one of the scopes."""
    return frozenset(scopes) <= await store.agreed(session, subject, client_id, clock.now())


async def hold(
    session: AsyncSession, clock: Clock, *, subject: UUID, client_id: UUID, scopes: Iterable[str]
) -> bool:
    """As `covers`; whoever takes one of them back now waits for the caller's transaction, and then
    finds what it gave.
    """
    return frozenset(scopes) <= await store.hold(session, subject, client_id, clock.now())


async def grant(
    session: AsyncSession, clock: Clock, *, subject: UUID, client_id: UUID, scopes: Iterable[str]
) -> None:
    """Notes the act, worded as TEXT_VERSION; it stands for LIFETIME or until withdrawn."""
    wanted, now = frozenset(scopes), clock.now()
    row = Consent(
        id=uuid7(),
        subject=subject,
        client_id=client_id,
        scopes=sorted(wanted),
        text_version=TEXT_VERSION,
        granted_at=now,
        expires_at=now + LIFETIME,
    )
    session.add(row)
    await session.flush()
    await publish(session, events.granted(subject, client_id, wanted, TEXT_VERSION, now))


async def withdraw(session: AsyncSession, clock: Clock, *, subject: UUID, client_id: UUID) -> bool:
    """Takes all back; False when nothing stood."""
    if await store.withdraw(session, subject, client_id, clock.now()) == 0:
        return False
    await publish(session, events.withdrawn(subject, client_id, clock.now()))
    return True


async def list_consents(session: AsyncSession, clock: Clock, *, subject: UUID) -> list[Agreed]:
    """One entry an application, the latest agreed first."""
    found: dict[UUID, list[Consent]] = {}
    for row in await store.all_standing(session, subject, clock.now()):
        found.setdefault(row.client_id, []).append(row)
    return [
        Agreed(
            client_id,
            frozenset(scope for row in rows for scope in row.scopes),
            min(row.granted_at for row in rows),
            max(row.expires_at for row in rows),
        )
        for client_id, rows in found.items()
    ]
