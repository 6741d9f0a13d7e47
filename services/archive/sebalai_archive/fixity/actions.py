"""Decisions about fixity: what to verify next, what damage means, the figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sebalai_shared.caller import Caller
from sebalai_shared.ids import uuid7
from sebalai_shared.outbox import publish
from sebalai_shared.problems import Forbidden
from sqlalchemy.ext.asyncio import AsyncSession

from sebalai_archive.fixity import events, store
from sebalai_archive.reader import enter_as_worker

A_PASS = 200
ENROL_A_PASS = 5_000

Damage = Literal["damaged", "missing"]
Outcome = Literal["repaired", "lost"]


class FiguresClosed(Forbidden):
    slug, title = "fixity-operator-only", "Only the operator reads these figures"


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts of contents: `unsealed` are above public and lie plain, `oldest_seconds` ago the
    longest unverified one was looked at.
    """

    contents: int
    never: int
    lost: int
    unreplicated: int
    unsealed: int
    oldest_seconds: float


async def next_contents(session: AsyncSession, *, now: datetime) -> Sequence[str]:
    """The longest unverified first."""
    await enter_as_worker(session, now)
    await store.enrol(session, ENROL_A_PASS)
    return await store.oldest(session, A_PASS)


async def keep_sound(
    session: AsyncSession, *, sha256: str, is_replicated: bool, now: datetime
) -> None:
    values = {"sha256": sha256, "at": now, "state": "sound", "replicated": is_replicated}
    await store.keep(session, values)


async def keep_damage(
    session: AsyncSession,
    *,
    sha256: str,
    damage: Damage,
    outcome: Outcome,
    now: datetime,
) -> None:
    """Notes the damage and what came of it, and says so to the world."""
    damage_id = uuid7()
    note = f"{damage}; {outcome}"
    await store.tell(
        session, {"id": damage_id, "sha256": sha256, "at": now, "kind": damage, "note": note}
    )
    await store.tell(
        session, {"id": uuid7(), "sha256": sha256, "at": now, "kind": outcome, "note": note}
    )
    values = {"sha256": sha256, "at": now, "state": outcome, "replicated": False}
    await store.keep(session, values)
    fact = events.ContentDamaged(damage_id=damage_id, outcome=outcome)
    await publish(session, events.damaged(fact, now))


async def read_figures(session: AsyncSession, *, caller: Caller, now: datetime) -> Figures:
    """Raises `FiguresClosed`."""
    if not caller.is_operator:
        raise FiguresClosed("Ask the operator.")
    return await measure(session, now=now)


async def measure(session: AsyncSession, *, now: datetime) -> Figures:
    await enter_as_worker(session, now)
    row = await store.figures(session, now)
    return Figures(
        row.contents, row.never, row.lost, row.unreplicated, row.unsealed, float(row.oldest_seconds)
    )


async def forget(session: AsyncSession, *, sha256: str) -> None:
    await store.forget(session, sha256)
