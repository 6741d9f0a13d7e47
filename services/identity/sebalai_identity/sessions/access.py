"""What a session is worth at a moment, as pure functions."""

from datetime import datetime

from sebalai_identity.assurance import LIMITS
from sebalai_identity.sessions.model import SignedIn


def level_now(session: SignedIn, now: datetime) -> int:
    """The level that still holds; 0 when the session is over.

    A lapsed step-up leaves the level below it standing, so that a quarter of an hour at lunch
    costs an official the signature and not the day's work.
    """
    if session.ended_at is not None or session.expires_at <= now:
        return 0
    if _holds(session.level, session.auth_time, session.seen_at, now):
        return session.level
    if _holds(session.floor_level, session.floor_since, session.seen_at, now):
        return session.floor_level
    return 0


def _holds(level: int, began: datetime, seen: datetime, now: datetime) -> bool:
    limits = LIMITS[level]
    return now < began + limits.whole and now < seen + limits.idle


def ends_at(session: SignedIn) -> datetime:
    """When nothing of it can hold any more, whatever happens."""
    return max(
        session.auth_time + LIMITS[session.level].whole,
        session.floor_since + LIMITS[session.floor_level].whole,
    )
