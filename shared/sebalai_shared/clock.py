"""Time as a parameter: aware UTC from one injected source."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The present, aware, in UTC."""
        ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


def to_text(at: datetime) -> str:
    """RFC 3339 in UTC with milliseconds and `Z`, the one spelling used on every wire."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_text(text: str) -> datetime:
    """Reads RFC 3339; a time without an offset is refused, because whose clock would it be?

    Raises:
        ValueError: not a time, or without an offset.

    """
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        msg = f"time without an offset: {text}"
        raise ValueError(msg)
    return at.astimezone(UTC)
