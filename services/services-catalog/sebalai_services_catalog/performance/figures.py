"""Figures of one service in a period, from counts; pure."""

from fractions import Fraction


def share(part: int, rest: int) -> Fraction | None:
    """Null without any: no share is not 0."""
    return Fraction(part, part + rest) if part + rest else None


def percent(value: Fraction | None) -> str | None:
    """One decimal, half up, as text."""
    if value is None:
        return None
    tenths = int(value * 1_000 + Fraction(1, 2))
    return f"{tenths // 10}.{tenths % 10}"
