"""How surely somebody signed in: the levels, the methods that give them, and how long each lasts.

Source: NIST SP 800-63B-4 (AAL 1 to 3) for the limits; RFC 8176 for the names of methods.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

PREFIX = "urn:sebalai:acr:"

PASSWORD = "pwd"  # noqa: S105 - the name of a method, not a secret
ONE_TIME = "otp"
RECOVERY = "rcv"
PASSKEY = "swk"
BOUND_PASSKEY = "hwk"
VERIFIED_USER = "user"
OUTSIDE = "outside"


@dataclass(frozen=True)
class Limits:
    """`whole` counts from the sign-in at that level, `idle` from the last sign of life."""

    whole: timedelta
    idle: timedelta


LIMITS = {
    1: Limits(timedelta(days=30), timedelta(days=7)),
    2: Limits(timedelta(hours=24), timedelta(hours=1)),
    3: Limits(timedelta(hours=12), timedelta(minutes=15)),
}
HIGHEST = max(LIMITS)
OUTSIDE_LEVELS = {f"{OUTSIDE}-{level}": level for level in LIMITS}


def acr_of(level: int) -> str:
    return f"{PREFIX}{level}"


ACR_VALUES = tuple(acr_of(level) for level in LIMITS)


def level_of(acr: str) -> int:
    """0 for a name that is none of ours, so that nothing is ever worth it by accident."""
    return ACR_VALUES.index(acr) + 1 if acr in ACR_VALUES else 0


def level_by(methods: Iterable[str]) -> int:
    """The level that methods used together give.

    3: a passkey bound to its device, user verified. 2: a passkey with user verification, or
    password with a one-time or a recovery code. What an outside provider says it is worth is not
    raised by us. 1: anything else.
    """
    used = frozenset(methods)
    if {BOUND_PASSKEY, VERIFIED_USER} <= used:
        return 3
    has_second = PASSWORD in used and used & {ONE_TIME, RECOVERY}
    if {PASSKEY, VERIFIED_USER} <= used or has_second:
        return 2
    return max((OUTSIDE_LEVELS[one] for one in used & OUTSIDE_LEVELS.keys()), default=1)


def outside_methods(provider: str, level: int) -> list[str]:
    """Who vouched, and for which level: `outside:inapas`, `outside-2`."""
    return [vouched_by(provider), f"{OUTSIDE}-{level}"]


def vouched_by(provider: str) -> str:
    return f"{OUTSIDE}:{provider}"
