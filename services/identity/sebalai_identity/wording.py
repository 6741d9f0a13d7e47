"""Texts that several slices of people and posts take: reasons, decrees, titles; and periods."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Annotated

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
)
from sebalai_shared.problems import FieldInvalid

from sebalai_identity.names import TEXT_PATTERN

WIB = timezone(timedelta(hours=7), "WIB")
"""Civil dates of the province begin and end at its own midnight (Keppres 41/1987)."""
NUMBER_LENGTH_MAX = 40

YEARS = range(1900, 2201)


def _in_utc(at: datetime) -> datetime:
    # The year is looked at first: year 1 at +07:00 has no time in UTC.
    if at.year not in YEARS:
        msg = f"between {YEARS[0]} and {YEARS[-1]}"
        raise ValueError(msg)
    return at.astimezone(UTC)


Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A time with its offset, kept and told in UTC."""

Reason = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=3, max_length=300, pattern=TEXT_PATTERN),
]
Decree = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=3, max_length=120, pattern=TEXT_PATTERN),
]
Title = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=TEXT_PATTERN),
]
SecretNumber = Annotated[SecretStr, Field(max_length=NUMBER_LENGTH_MAX)]


class Ending(BaseModel):
    """Ends something early: `at` is now when left out, and never in the past."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason
    at: Instant | None = None


def require_period(start: datetime, end: datetime | None) -> None:
    """Half-open: `start` is in, `end` is out. Raises `FieldInvalid`."""
    if end is not None and end <= start:
        raise FieldInvalid("/valid_until", "The end lies after the start.")


def end_of(ending: Ending, now: datetime) -> datetime:
    """Raises `FieldInvalid`: an end in the past would rewrite what was true."""
    if ending.at is None:
        return now
    if ending.at < now:
        raise FieldInvalid("/at", "What was true stays so; name this moment or a later one.")
    return ending.at


def midnight(day: date) -> datetime:
    """The instant at which that civil date begins in the province."""
    return datetime.combine(day, time.min, WIB).astimezone(UTC)


def is_within(start: datetime, end: datetime | None, at: datetime) -> bool:
    return start <= at and (end is None or at < end)
