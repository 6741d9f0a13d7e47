"""The life of a complaint after SP4N-LAPOR! (Perpres 76/2013, PermenPANRB 62/2018); pure.

`received → verifying → forwarded → in_follow_up → answered → closed`, and aside `archived`. Each
stage has its limit; a missed one is a fact, not a state.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sebalai_services_catalog.calendar.actions import Calendar, civil_date, end_of

State = Literal[
    "received", "verifying", "forwarded", "in_follow_up", "answered", "closed", "archived"
]
Act = Literal[
    "verify", "forward", "archive", "reassign", "take_up", "answer", "reply", "close", "expire"
]
Role = Literal["desk", "agency", "reporter", "platform"]
Kind = Literal["pengaduan", "permintaan_informasi", "aspirasi"]
PublicState = Literal["belum_ditindaklanjuti", "sedang_diproses", "selesai", "arsip"]

MOVES: dict[tuple[State, Act], tuple[State, Role]] = {
    ("received", "verify"): ("verifying", "desk"),
    ("verifying", "forward"): ("forwarded", "desk"),
    ("verifying", "archive"): ("archived", "desk"),
    ("forwarded", "reassign"): ("forwarded", "agency"),
    ("forwarded", "take_up"): ("in_follow_up", "agency"),
    ("in_follow_up", "answer"): ("answered", "agency"),
    ("answered", "reply"): ("in_follow_up", "reporter"),
    ("answered", "close"): ("closed", "reporter"),
    ("answered", "expire"): ("closed", "platform"),
}
PUBLIC: dict[State, PublicState] = {
    "received": "belum_ditindaklanjuti",
    "verifying": "belum_ditindaklanjuti",
    "forwarded": "sedang_diproses",
    "in_follow_up": "sedang_diproses",
    "answered": "sedang_diproses",
    "closed": "selesai",
    "archived": "arsip",
}
"""The words LAPOR! shows to everybody."""

Limits = dict[tuple[str, str], tuple[int, str]]
"""(stage, category) → (number, unit), as in `complaint_deadlines.csv`."""


class NoSuchStep(ValueError):
    def __init__(self, state: State, act: Act) -> None:
        super().__init__(f"{act} is not possible while {state}")


def after(state: State, act: Act) -> tuple[State, Role]:
    """Raises: NoSuchStep."""
    try:
        return MOVES[state, act]
    except KeyError as error:
        raise NoSuchStep(state, act) from error


def possible(state: State) -> list[Act]:
    return sorted(act for from_, act in MOVES if from_ == state)


def category_of(kind: Kind, *, needs_examination: bool) -> str:
    """The row of the deadlines file. An aspiration has none of its own: it is answered like a
    complaint without examination (our choice).
    """
    if kind == "permintaan_informasi":
        return kind
    prefix = "pengaduan_berkadar" if needs_examination else "pengaduan_tidak_berkadar"
    return f"{prefix}_pengawasan"


@dataclass(frozen=True, slots=True)
class Moments:
    """When the complaint came, when it was last forwarded, and when it was last answered."""

    received: datetime
    forwarded: datetime | None = None
    answered: datetime | None = None


def deadline(
    state: State, category: str, moments: Moments, limits: Limits, calendar: Calendar
) -> datetime | None:
    """The first instant that is too late for the stage; null when nothing is awaited.

    Verification counts from receipt, first response and completion from forwarding, the reporter's
    reply from the answer.
    """
    if state in ("received", "verifying"):
        return _after(moments.received, limits["verification", "all"], calendar)
    if state == "forwarded" and moments.forwarded:
        return _after(moments.forwarded, limits["first_response", "all"], calendar)
    if state == "in_follow_up" and moments.forwarded:
        return _after(moments.forwarded, limits["completion", category], calendar)
    if state == "answered" and moments.answered:
        return _after(moments.answered, limits["reporter_reply", "all"], calendar)
    return None


def _after(start: datetime, limit: tuple[int, str], calendar: Calendar) -> datetime:
    number, unit = limit
    day = civil_date(start)
    if unit == "working_days":
        return end_of(calendar.add(day, number))
    return end_of(day + timedelta(days=number))
