"""Who may change how an account is signed in to, as pure functions."""

from datetime import datetime, timedelta

from sebalai_identity.sessions.actions import Session

FRESH = timedelta(minutes=10)
STRONG = 2


def may_change(present: Session, now: datetime, *, has_strong_means: bool) -> bool:
    """Only who proved themself within FRESH, and by the strongest means the account has: a stolen
    password must not put a passkey of the thief beside it.
    """
    is_fresh = now - present.auth_time < FRESH
    return is_fresh and (present.level >= STRONG or not has_strong_means)
